package sentence

import (
	"slices"
	"strings"
	"testing"

	"github.com/hive-spore/hive/skills/internal/block"
	"github.com/hive-spore/hive/skills/summarize/internal/lang"
)

// In the tables " | " marks the boundaries that Split must find, and it must
// find no others.

var english = []string{
	// Plain cases.
	`One sentence.`,
	`No full stop at all`,
	`First. | Second.`,
	`Is it? | It is! | Good.`,
	`It rained. | 300 people stayed away.`,
	`It costs more. | $5 is too much.`,
	// Titles and names.
	`Dr. Smith met Mr. Jones and Mrs. Brown. | They talked.`,
	`Prof. A. J. Linnell, a reef ecologist, disagrees. | He has reasons.`,
	`The books of J. R. R. Tolkien sell well. | So do others.`,
	`J.R.R. Tolkien wrote it. | It is long.`,
	`He lives in St. Louis. | She does not.`,
	`They live on Main St. | The house is red.`,
	`Gov. Lee and Sen. Ray came. | Nobody else did.`,
	`Martin Luther King Jr. Day is a holiday. | We slept.`,
	`It was John F. Kennedy. | He spoke.`,
	// Abbreviations within and at the end of a sentence.
	`Bring tools, e.g. a hammer, i.e. the heavy one. | Thanks.`,
	`Some animals, e.g. Bears, sleep. | Others do not.`,
	`The U.S. President spoke. | The U.S. Senate listened.`,
	`It was made in the U.S. | The parts were not.`,
	`Cyclen Inc. says so. | Cyclen Inc. CEO Ray Lee agrees.`,
	`He works for Acme Inc. | He likes it.`,
	`No. 12 on the list is Sue. | She is No. 1 here.`,
	`Will you come? | No. | I will not.`,
	`The answer was no. | She left.`,
	`See Fig. 3 and pp. 4 and 5 of vol. 2. | They help.`,
	`Apples, pears, etc. were sold. | Plums were not.`,
	`We sold apples, pears, etc. | Nobody bought plums.`,
	`It starts at 8.45 a.m. and ends at 1 p.m. | Lunch follows.`,
	`Come at 5 p.m. Monday or 6 p.m. EST. | Bring cake.`,
	`She has a Ph.D. in physics. | He has a Ph.D. | They met there.`,
	`It happened on Sept. 11 and Oct. 3. | It was over by Nov. | Nobody knew.`,
	`Liverpool vs. Everton ended 1-1. | Fans wept.`,
	`Smith et al. (2004) found it. | Nobody else did.`,
	// Numbers, versions, addresses, files.
	`Pi is 3.14 and a bit. | That is 1,234.5 times less.`,
	`Version 2.0.1 is out. | Version 3. | Nobody uses it.`,
	`It closed in 1990. | The town shrank.`,
	`The effect vanished at about 30 m. | No difference was found.`,
	`See https://example.org/a.b/c.html. | It is there.`,
	`Visit www.example.com. | Then write to a.b@example.com. | Thanks.`,
	`Open main.go. | Edit it.`,
	`The score was 12. | Smith then left.`,
	// Ellipses.
	`Well … maybe. | Or not.`,
	`He waited... and waited. | Nothing came.`,
	`He waited ... | Nothing came.`,
	`And then… | Silence.`,
	`And then . . . | Silence.`,
	// Quotes and brackets.
	`“I am here.” | He left.`,
	`"I am here," he said. | "So am I."`,
	`"Stop!" he shouted. | Nobody did.`,
	`He asked "Why?" and left. | She stayed.`,
	`‘Really?’ | ‘Really.’`,
	`He came (see Fig. 3). | He left.`,
	`He came. | (He always does.) | He left.`,
	`It is true.[12] | It is proven.[3][4] | It is known.`,
	`They came. | “We won,” she said.`,
	`It ended. | – And began again.`,
	// Capitals, letters, enumerators.
	`He bought an iPhone. | iPhones are dear. | eBay sells them.`,
	`The Yahoo! site is old. | It works.`,
	`Take vitamin C. | Researchers agree.`,
	`There is no plan B. | Nobody has one.`,
	`Neither he nor I. | Smith knew.`,
	`1. Introduction to bees. | They fly.`,
	`B. Results were good. | We think.`,
	`It is what it is. | 2009 TK is an asteroid.`,
}

var polish = []string{
	`Kupił owoce, np. Jabłka Sandomierskie, i warzywa. | Zapłacił kartą.`,
	`Byli tam m.in. Kowalski i Nowak. | Wyszli wcześnie.`,
	`Byli tam m. in. Kowalski i Nowak. | Wyszli wcześnie.`,
	`To tzw. Złoty Trójkąt. | Nikt tam nie jeździ.`,
	`Mówił prof. Jan Korczak. | Słuchali wszyscy.`,
	`Prezydent dr hab. Anna Reszka odpowiedziała. | Radni milczeli.`,
	`Dr inż. Paweł Stec ostrzega. | Ma rację.`,
	`Mieszka przy ul. Lipowej 3. | Ma psa.`,
	`Zamknięta będzie al. Hutników. | Objazd poprowadzi ul. Garbarska.`,
	`Pociąg odjeżdża o godz. 18.20. | Nie spóźnij się.`,
	`Nad Słonicami 4 grudnia o godz. 18. | Kaplica ma datę.`,
	`W 2022 r. Kania dostał rachunek. | Podniósł cenę.`,
	`W październiku 2019 r. Sejm uchwalił ustawę. | Weszła w życie.`,
	`Zakład powstał we wsi w maju 1998 r. | Fabryka zatrudnia sto osób.`,
	`Tramwaje wyjadą jesienią 2028 r. | Podłęże czeka.`,
	`W ub. r. Rada Miasta obradowała rzadko. | Teraz często.`,
	`Kaplica pochodzi z XVII w. i jest piękna. | Kościół jest z XIX w. | Nikt go nie zna.`,
	`W latach 90. XX w. leciał nią jeden bocian. | Dziś wiele.`,
	`Rzym założono w 753 r. p.n.e. | Tak mówi legenda o wilczycy.`,
	`Przeżyło 34 proc. ptaków. | Reszta zginęła.`,
	`Tak uważa 60 proc. Polaków. | Inni milczą.`,
	`Upadło 23 proc. | Różnica jest duża.`,
	`Mieszka tu 31 tys. osób. | Zarabiają 5 tys. zł. | Chcą więcej.`,
	`Firma Głos Zawodzia Sp. z o.o. działa od lat. | Ma prasę.`,
	`Szkoła nr 4 i art. 12 ust. 3 ustawy. | Czytaj dalej.`,
	`Kupił chleb, masło itd. | Potem wrócił.`,
	`W. Szymborska i W. J. Malec pisali. | My czytamy.`,
	`„Uwierzę, jak skasuję bilet” – mówi Halina. | Ma rację.`,
	`„Nie wiem.” | Wyszedł.`,
	`– Nie wiem. | – Wzruszył ramionami. | – Może jutro.`,
	`Kosztuje 7,50 zł. | Kiedyś 3,20 zł.`,
	`Przyszedł św. Mikołaj, tj. Sąsiad. | Dzieci wiedziały.`,
	`W 2. Dywizji służył dziadek. | Ojciec nie.`,
}

var german = []string{
	`Er kam z. B. Montag, d. h. Gestern. | Sie nicht.`,
	`Er kam z.B. Montag, d.h. Gestern. | Sie nicht.`,
	`Es war u. a. Karl dabei. | Karl schwieg.`,
	`Er trinkt Bier bzw. Wein. | Sie trinkt Tee.`,
	`Die Nr. 7 gewann, ca. 30 Läufer folgten. | Regen fiel.`,
	`Dr. Beate Kühn und Prof. Dr. Uwe Harms kamen. | Man sprach.`,
	`Am 3. Oktober ist Feiertag. | Am 4. Oktober nicht.`,
	`Montag, 3. Oktober, ist frei. | Dienstag nicht.`,
	`Vom 3. bis 5. Mai wird gefeiert. | Danach nicht.`,
	`Der 2. Weltkrieg begann 1939. | Er endete 1945.`,
	`Im 19. Jahrhundert war das so. | Heute nicht.`,
	`Sie feierte ihren 50. Geburtstag. | Alle kamen.`,
	`Der 1. FC Köln verlor. | Niemand war überrascht.`,
	`Sie spielt in der 1. Liga. | Die Halle ist klein.`,
	`Er geht in die 3. Klasse. | Seine Schwester in die 5. Klasse.`,
	`Das Haus stammt von 1990. | Kritiker mögen es nicht.`,
	`Ruhmstedt kam auf Platz 2. | Bayern gewann.`,
	`Die Zahl stieg auf 12. | Experten warnen.`,
	`Es blieb bei 3. | Die anderen gingen.`,
	`Ludwig XIV. Frankreichs König, tanzte gern. | Er war eitel.`,
	`Das kostet 61 Mio. Euro. | Woher nehmen?`,
	`Das kostet 95 Mio. | Die Stadt hat sie nicht.`,
	`Äpfel, Birnen usw. | Mehr gab es nicht.`,
	`Der TSV e. V. Ruhmstedt siegte. | Die Fans sangen.`,
	`Sie wohnt Goethestr. 5 in Köln. | Er auch.`,
	`Caesar starb 44 v. Chr. in Rom. | Brutus lebte.`,
	`Dipl.-Ing. Karl Maier plante es. | Es hielt.`,
	`„Eine Lehmglocke singt.“ | Er lachte.`,
	`»Wirklich?« | »Ja.«`,
	`„Dann lieber ein Schluss“, sagt Georg. | Er geht.`,
	`Es sind 5.000 Autos und 2,30 m. | Das reicht.`,
	`Das sind 3 m. | Experten genügt das.`,
	`Marbecker Anzeiger GmbH & Co. KG druckt. | Alle lesen.`,
	`Der Termin ist der 15. 3. 2024. | Bitte kommen.`,
	`Es gilt § 3 Abs. 2 und Art. 5. | Das ist klar.`,
	`Warum? | Darum! | So ist es …`,
}

func TestSplit(t *testing.T) {
	for _, table := range []struct {
		lang  lang.Language
		cases []string
	}{{lang.English, english}, {lang.Polish, polish}, {lang.German, german}} {
		for _, marked := range table.cases {
			t.Run(table.lang.String()+"/"+marked, func(t *testing.T) {
				want := strings.Split(marked, " | ")
				got := Split(strings.Join(want, " "), table.lang)
				if !slices.Equal(got, want) {
					t.Errorf("got  %q\nwant %q", got, want)
				}
			})
		}
	}
}

func TestSplitNothing(t *testing.T) {
	if got := Split("", lang.English); len(got) != 0 {
		t.Errorf("Split of nothing = %q", got)
	}
}

// FuzzSplit checks that sentences are neither lost nor altered nor empty.
func FuzzSplit(f *testing.F) {
	for l, table := range [][]string{english, polish, german} {
		for _, marked := range table[:8] {
			f.Add(marked, byte(l))
		}
	}
	f.Add("...!?. .\"“( A. b. C. \xff 1. 2. [1]", byte(lang.German))
	f.Fuzz(func(t *testing.T, text string, l byte) {
		text = block.Collapse(text)
		sentences := Split(text, lang.Language(l%3))
		if got := strings.Join(sentences, " "); got != text {
			t.Errorf("joined sentences = %q, want %q", got, text)
		}
		if slices.Contains(sentences, "") {
			t.Errorf("empty sentence in %q", sentences)
		}
	})
}
