package sentence

import (
	"strings"

	"github.com/hive-spore/hive/skills/internal/wordset"
	"github.com/hive-spore/hive/skills/summarize/internal/lang"
)

// class is how an abbreviation behaves before a capital letter.
type class uint8

const (
	unknown      class = iota
	neverEnds          // a word must follow: "Dr. Smith", "np. Kraków", "z. B. Köln"
	beforeNumber       // abbreviates only before a number: "No. 7", but "He said no."
	mayEnd             // ends a sentence if a function word follows: "Inc. The …"
	usuallyEnds        // ends a sentence unless a date or name of a zone follows: "5 p.m. Monday"
	quantity           // Polish "tys.", "proc.": the people counted may follow
	era                // closes a date: "1998 r.", "XIX w."
)

// classOf looks up the word before a full stop: with the single letters before
// it ("z.b"), alone ("dr"), and without the first parts of a compound
// ("dipl.-ing").
func classOf(p previous, l lang.Language) class {
	if c := abbreviations[l][p.key]; c != unknown {
		return c
	}
	if len(p.key) > len(p.token) {
		if c := abbreviations[l][strings.ToLower(p.token)]; c != unknown {
			return c
		}
	}
	if l == lang.German && strings.HasSuffix(p.key, "str") {
		return mayEnd // Goethestr. 5
	}
	if hyphen := strings.LastIndexByte(p.key, '-'); hyphen >= 0 {
		return abbreviations[l][p.key[hyphen+1:]]
	}
	return unknown
}

// abbreviations holds lower-case abbreviations without their last full stop
// and without spaces: "z. B." is z.b. No word may be in two classes. Acronyms
// such as "U.S." need no entry, they have a rule.
var abbreviations = [...]map[string]class{
	lang.English: classes(map[class]string{
		neverEnds: `dr mr mrs ms mx prof messrs gen col capt cmdr adm lt sgt maj cpl rev hon sen rep gov
			pres supt insp det vs cf viz approx e.g eg i.e ie asst assoc`,
		beforeNumber: `no nos pp fig figs vol vols ch chap sec op eq ed est jan feb apr jun jul aug sep sept
			oct nov dec tel ext al`,
		mayEnd:      `inc ltd co corp llc plc bros jr sr esq st mt ft ave blvd rd dept ph.d b.sc m.sc`,
		usuallyEnds: `etc a.m p.m`,
	}),
	lang.Polish: classes(map[class]string{
		neverEnds: `np m.in tzw tzn tj prof dr hab inż mgr lic lek med doc red ks bp abp kard o św błog
			gen płk ppłk mjr kpt por ppor sierż ul al pl os im woj pow gm dot ok zob wg pt pn śp ur zm
			ang niem fr ros łac gr wł jw vs wz ds pkt sp max tel wyd oprac tłum rys tab ryc zał p mec adw dyr
			prez kier przew b.d p.o ub`,
		beforeNumber: `nr str art ust poz par godz rozdz`,
		mayEnd:       `o.o s.a jr`,
		usuallyEnds:  `itd itp etc`,
		quantity:     `tys proc mln mld szt min sek`,
		era:          `r w br n.e p.n.e`,
	}),
	lang.German: classes(map[class]string{
		neverEnds: `dr prof z.b zb d.h dh u.a bzw nr ca vgl sog evtl ggf inkl exkl zz zzt abb hrsg hr fr
			frl st hl geb gest verh ev kath dt engl franz frz lat allg bes insb insbes max mind dipl
			ing med jur phil rer nat h.c tel v.a z.t i.d.r i.a m.e o.g u.u s.o s.u z.zt bspw einschl
			v n gem lt priv wg röm ehem`,
		beforeNumber: `bd abs art kap ziff tab fig aufl jg jan feb febr apr aug sept okt nov dez`,
		mayEnd:       `mio mrd tsd std min sek jh jhd jhdt chr e.v o.ä u.ä a.m a.d gebr inc ltd co str`,
		usuallyEnds:  `usw etc usf u.s.w u.v.m u.v.a`,
	}),
}

// classes inverts the table above. A word in two classes would make the result
// depend on the order of iteration; it is a mistake in this file.
func classes(words map[class]string) map[string]class {
	m := make(map[string]class)
	for c, list := range words {
		for word := range strings.FieldsSeq(list) {
			if _, twice := m[word]; twice {
				panic("sentence: abbreviation " + word + " is in two classes")
			}
			m[word] = c
		}
	}
	return m
}

// continues are the words that may follow "5 p.m." inside a sentence.
var continues = wordset.Of(`monday tuesday wednesday thursday friday saturday sunday january february march
	april june july august september october november december est edt pst pdt cst cdt gmt utc bst cet
	eastern pacific central`)

// ordinalNouns follow a German ordinal number even where no article precedes.
var ordinalNouns = wordset.Of(`Januar Jänner Februar März April Mai Juni Juli August September Oktober November
	Dezember Jahrhundert Jahrhunderts Liga Bundesliga Klasse Platz Rang Auflage Weltkrieg Etage Stock
	Kapitel Runde Geburtstag Todestag Jahrestag`)

// introducers precede an ordinal number. Bare prepositions are missing from
// the German list because "stieg auf 12. Experten …" ends a sentence.
var introducers = [...]wordset.Set{
	lang.English: nil,
	lang.Polish:  wordset.Of(`w we podczas ze`),
	lang.German: wordset.Of(`der die das dem den des am im ins vom zum zur beim ein eine einem einen einer eines
		sein seine seinem seinen seiner ihr ihre ihrem ihren ihrer unser unsere unserem unseren dieser
		diesem diesen jeder jedem jeden`),
}

// letterNouns are followed by a letter that is no initial: "vitamin C".
var letterNouns = wordset.Of(`vitamin vitamins plan grade hepatitis type class group category option exhibit
	appendix section war witamina witaminy witaminę klasa klasy typ typu grupa grupy punkt klasse gruppe
	plans kategorie kategoria`)
