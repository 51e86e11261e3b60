package main

// openQuote returns the quote of the string literal that is open at the end of a text, or 0.
func openQuote(text string) byte {
	quotes := openQuotes(text)
	return quotes[len(text)]
}

// openQuotes returns the quote of the literal that is open before each byte of a text, and at its end.
func openQuotes(text string) []byte {
	quotes := make([]byte, len(text)+2)
	var open byte
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
			quotes[i] = open
		case '"', '\'', '`':
			open = toggled(open, text[i])
		}
		quotes[i+1] = open
	}
	return quotes[:len(text)+1]
}

func toggled(open, quote byte) byte {
	switch open {
	case 0:
		return quote
	case quote:
		return 0
	}
	return open
}
