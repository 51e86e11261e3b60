package lang

// The lists hold function words: articles, pronouns, prepositions,
// conjunctions, auxiliaries and the commonest adverbs. They were written for
// this package; numerals, months and nouns are left out on purpose, because
// they carry facts.

const english = `
a about above across after afterwards again against ago all almost along already also although
always am among an and another any anybody anyone anything are aren't around as at away back be
became because become been before began behind being below besides between both but by came can
can't cannot come could couldn't did didn't do does doesn't doing don't done down during each either
else enough especially even ever every everybody everyone everything far few for from further get
gets getting give given go goes going gone got had hadn't hardly has hasn't have haven't having he
he'd he'll her here hers herself him himself his how however i i'd i'll i'm i've if in indeed inside
instead into is isn't it it'd it'll it's its itself just kept last least less let like likely made
make makes making many may maybe me meanwhile might mine more moreover most mostly much must my
myself near nearly neither never nevertheless next no nobody none nor not nothing now nowhere of off
often on once one only onto or other others otherwise ought our ours ourselves out over own perhaps
put quite rather really said same say saying says see seem seemed seems seen several shall she she'd
she'll should shouldn't since so some somebody someone something sometimes soon still such take taken
than that that's the their theirs them themselves then there there's therefore these they they'd
they'll they're they've this those though through throughout thus to today together told too took
toward towards under unless until up upon us used using very was wasn't way we we'd we'll we're we've
well went were weren't what whatever when whenever where whereas whereby wherever whether which while
who whoever whole whom whose why will with within without won't would wouldn't yes yesterday yet you
you'd you'll you're you've your yours yourself yourselves`

const polish = `
a aby ach acz aczkolwiek aj albo ale ależ ani aż bardziej bardzo bez bo bowiem by byli bym być był
była było były będzie będą cali cała cały chce chcą choć chociaż ci cię ciebie co cokolwiek coś czasem
czemu czy czyli często dla dlaczego dlatego do dobrze dokąd dość dużo dwa dziś dzisiaj gdy gdyby gdyż
gdzie gdziekolwiek gdzieś go i ich ile im inna inne inny innych iż ja jak jakaś jakby jaki jakiś jakie
jako jakoś je jeden jedna jednak jednakże jednego jednej jedno jednym jego jej jemu jest jestem jeszcze
jeśli jeżeli już każda każde każdego każdej każdy każdym kiedy kilka kto ktokolwiek ktoś która które
którego której którą który których którym którymi którzy ku lecz lub ma mają mam mi mimo mną mnie mogą
moi moim moja moje może można mu musi my na nad najbardziej nam nami nas nasi nasz nasza nasze
naszego naszych natomiast natychmiast nawet nic nich nie niej niemal nigdy nikt nim nimi niż no o
obok od około on ona one oni ono oraz oto owszem pan pana pani po pod podczas podobnie ponad ponieważ
poza prawie prawdopodobnie przecież przed przede przez przy również są się skąd sobą sobie są swoje
swoja swoim swoich swoją swojego swój ta tak taka taki takich takie także tam te tego tej ten też to
tobą tobie toteż trzeba tu tutaj twoi twój twoja twoje ty tych tyle tylko tym tymczasem u wam wami was
wasz wasza wasze we według wiele wielu więc więcej w wśród wszystko wszystkie wszystkich wszyscy
właśnie wtedy wówczas z za zaś zapewne zawsze ze zł znów znowu został została zostało zostały że żaden
żadna żadne żadnych żeby`

const german = `
ab aber alle allem allen aller alles allerdings als also am an andere anderen anderer anderes auch auf
aus außer außerdem bald bei beide beiden beim bereits bevor bin bis bisher bislang bist da dabei dadurch
dafür dagegen daher dahin damals damit danach daneben dann daran darauf daraus darf darin darüber darum
darunter das dass davon davor dazu dein deine dem demnach den denen denn dennoch der deren derer des
deshalb dessen die dies diese diesem diesen dieser dieses doch dort du durch durfte dürfen ebenso ehe
eher ein eine einem einen einer eines einige einigen einmal er erst erste ersten es etwa etwas euch euer
fast für gab ganz gar gegen gegenüber gerade gern gewesen gibt habe haben hat hatte hatten hätte hätten
heute hier hin hinter hinterher ich ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres im immer in indem
indes infolge innerhalb ins inzwischen ist ja je jede jedem jeden jeder jedes jedoch jemals jemand jene
jenem jenen jener jenes jetzt kam kann kaum kein keine keinem keinen keiner könne können könnte könnten
konnte konnten lange lediglich machen macht mal man manche mancher mehr mein meine meinem meinen meiner
meist mich mir mit muss müsse müssen musste mussten müsste nach nachdem nahe neben nein nicht nichts nie
niemals niemand noch nun nur ob obwohl oder oft ohne per recht rund sagt sagte schon sehr sei seien sein
seine seinem seinen seiner seines seit seitdem selbst sich sie sind so sobald sodass sofern sogar solche
solchen soll sollen sollte sollten somit sondern sonst soweit sowie sowohl statt stattdessen trotz
trotzdem über überhaupt um und uns unser unsere unserer unter viel viele vielen vielleicht vom von vor
vorher während wann war waren warum was weder wegen weil weiter weitere weiteren welche welchem welchen
welcher welches wenig wenige weniger wenn wer werde werden wem wen weshalb wie wieder wieso will wir
wird wo wohl wollen wollte wollten worden wurde wurden würde würden zu zudem zuletzt zum zumal zunächst
zur zwar zwischen`

// The words below point back when a sentence begins with them. "Der" and "die"
// do so as pronouns, but far more often they are articles.

const englishAnaphora = `
he she it they him her them his its their this that these those here there then both such however but
so therefore thus hence moreover also yet still nevertheless instead otherwise and or`

const polishAnaphora = `
on ona ono oni one go jej jego ją im ich tak to ten ta te ci tam tu tego tej tych tym tymi temu wtedy potem
następnie jednak jednakże ale lecz zaś też także również więc dlatego zatem stąd mimo i a`

const germanAnaphora = `
er sie es ihn ihm ihr ihnen sein seine seinen seinem ihre ihren ihrem dies diese dieser dieses diesem
diesen dort da dann dabei dadurch dafür dagegen daher damit danach daraus davon dazu deshalb darum
deswegen doch aber jedoch auch außerdem zudem trotzdem stattdessen sonst und oder`
