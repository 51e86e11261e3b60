package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// encoding is a way to write text that is found on the web.
type encoding uint8

const (
	utf8Text encoding = iota
	utf16Little
	utf16Big
	windows1250
	windows1252
	latin2
	latin9
)

// labels are the names by which pages speak of encodings, as browsers read them
// (encoding.spec.whatwg.org): Latin 1 and ASCII mean windows-1252.
var labels = map[string]encoding{
	"utf-8": utf8Text, "utf8": utf8Text, "unicode-1-1-utf-8": utf8Text,
	"utf-16": utf16Little, "utf-16le": utf16Little, "unicode": utf16Little, "utf-16be": utf16Big,
	"windows-1250": windows1250, "cp1250": windows1250, "x-cp1250": windows1250,
	"windows-1252": windows1252, "cp1252": windows1252, "x-cp1252": windows1252, "ascii": windows1252, "us-ascii": windows1252,
	"iso-8859-1": windows1252, "iso8859-1": windows1252, "iso_8859-1": windows1252, "latin1": windows1252, "l1": windows1252,
	"iso-8859-2": latin2, "iso8859-2": latin2, "iso_8859-2": latin2, "latin2": latin2, "l2": latin2,
	"iso-8859-15": latin9, "iso8859-15": latin9, "iso_8859-15": latin9, "latin9": latin9, "l9": latin9,
}

// tables are the last characters of encodings of one byte; below them a byte is the
// character of that number.
var tables = map[encoding][]rune{
	windows1250: []rune("€\u0081‚\u0083„…†‡\u0088‰Š‹ŚŤŽŹ\u0090‘’“”•–—\u0098™š›śťžź\u00a0ˇ˘Ł¤Ą¦§¨©Ş«¬\u00ad®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙"),
	windows1252: []rune("€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ" +
		"\u00a0¡¢£¤¥¦§¨©ª«¬\u00ad®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ"),
	latin2: []rune("\u00a0Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u00adŽŻ°ą˛ł´ľśˇ¸šşťź˝žżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙"),
	latin9: []rune("\u00a0¡¢£€¥Š§š©ª«¬\u00ad®¯°±²³Žµ¶·ž¹º»ŒœŸ¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ"),
}

var (
	metaCharset = regexp.MustCompile(`(?i)<meta\b[^>]*?\bcharset\s*=\s*["']?\s*([^\s"'/>;]+)`)
	xmlEncoding = regexp.MustCompile(`^\s*<\?xml\b[^>]*?\bencoding\s*=\s*["']([^"']+)`)
)

// head is how much of a page is searched for its encoding, in bytes.
const head = 4 << 10

// declared returns the encoding that a page of HTML names itself, or "". What can be
// read without knowing it is not UTF-16, whatever it says.
func declared(page []byte) string {
	page = page[:min(len(page), head)]
	for _, place := range []*regexp.Regexp{metaCharset, xmlEncoding} {
		if found := place.FindSubmatch(page); found != nil {
			label := string(found[1])
			if strings.HasPrefix(strings.ToLower(label), "utf-16") {
				return "utf-8"
			}
			return label
		}
	}
	return ""
}

// decode returns a page as UTF-8. What the page begins with says more than the
// label; without both it is UTF-8 if it can be, else windows-1252.
func decode(page []byte, label string) (string, error) {
	is, known := labels[strings.ToLower(strings.TrimSpace(label))]
	marked, rest := cutMark(page)
	switch {
	case marked != nil:
		is, page = *marked, rest
	case known:
	case label != "":
		return "", fmt.Errorf("its characters are %.40q, which cannot be read; UTF-8, UTF-16, windows-1250 and -1252, ISO-8859-1, -2 and -15 can", label)
	case !utf8.Valid(page):
		is = windows1252
	}
	switch is {
	case utf8Text:
		return strings.ToValidUTF8(string(page), "\uFFFD"), nil
	case utf16Little:
		return fromUTF16(page, binary.LittleEndian), nil
	case utf16Big:
		return fromUTF16(page, binary.BigEndian), nil
	}
	return fromBytes(page, tables[is]), nil
}

// cutMark removes a byte order mark and returns what it says, or nil.
func cutMark(page []byte) (*encoding, []byte) {
	for _, mark := range []struct {
		bytes string
		is    encoding
	}{{"\xef\xbb\xbf", utf8Text}, {"\xff\xfe", utf16Little}, {"\xfe\xff", utf16Big}} {
		if rest, ok := bytes.CutPrefix(page, []byte(mark.bytes)); ok {
			return &mark.is, rest
		}
	}
	return nil, page
}

// fromUTF16 leaves out half a character at the end.
func fromUTF16(page []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(page)/2)
	for i := range units {
		units[i] = order.Uint16(page[2*i:])
	}
	return string(utf16.Decode(units))
}

func fromBytes(page []byte, table []rune) string {
	var b strings.Builder
	first := 256 - len(table)
	for _, c := range page {
		if int(c) < first {
			b.WriteRune(rune(c))
		} else {
			b.WriteRune(table[int(c)-first])
		}
	}
	return b.String()
}
