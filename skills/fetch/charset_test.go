package main

import "testing"

func TestDecode(t *testing.T) {
	for _, tt := range []struct{ name, page, label, want string }{
		{"nothing", "", "", ""},
		{"UTF-8", "Łódź", "", "Łódź"},
		{"UTF-8 by label", "Łódź\xff", "UTF-8", "Łódź\uFFFD"},
		{"not UTF-8", "caf\xe9 \x93ok\x94 \x80", "", "café “ok” €"},
		{"Latin 1 is windows-1252", "\x80 \xa0\xff", "ISO-8859-1", "€ \u00a0ÿ"},
		{"a hole in windows-1252", "\x81", "windows-1252", "\u0081"},
		{"windows-1250", "\xa3\xf3d\x9f \xb9\x9c", "Windows-1250", "Łódź ąś"},
		{"Latin 2", "\xa3\xf3d\xbc \xb1\xb6\x80", " iso-8859-2 ", "Łódź ąś\u0080"},
		{"Latin 9", "\xa4 \xe9\x80", "iso-8859-15", "€ é\u0080"},
		{"UTF-16", "a\x00\x41\x01\x3d\xd8\x1d\xdc", "utf-16", "aŁ🐝"},
		{"UTF-16, half a character", "a\x00\x41", "utf-16le", "a"},
		{"UTF-16, half a pair", "\xd8\x3d\x00a", "utf-16be", "\uFFFDa"},
		{"a mark says more than a label", "\xef\xbb\xbfŁ", "iso-8859-2", "Ł"},
		{"a mark of UTF-16", "\xfe\xff\x01\x41", "", "Ł"},
		{"a mark of the other", "\xff\xfe\x41\x01", "utf-8", "Ł"},
	} {
		if got, err := decode([]byte(tt.page), tt.label); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

// TestTables: a table ends with the last of 256 characters.
func TestTables(t *testing.T) {
	for is, table := range tables {
		if n := len(table); n != 128 && n != 96 {
			t.Errorf("encoding %d has %d characters", is, n)
		}
	}
}

func TestDeclared(t *testing.T) {
	for page, want := range map[string]string{
		`<meta charset=utf-8>`:                    "utf-8",
		`<html><head><META CharSet = "latin2" />`: "latin2",
		`<meta charset='l1'>`:                     "l1",
		`<meta http-equiv="Content-Type" content="text/html; charset=windows-1250">`: "windows-1250",
		`<meta name=x content=y><meta charset=a>`:                                    "a",
		`<?xml version="1.0" encoding="iso-8859-15"?><html>`:                         "iso-8859-15",
		`<meta charset="UTF-16">`:                                                    "utf-8",
		`<metadata charset=x>`:                                                       "",
		`<p charset=x>`:                                                              "",
		`charset=x`:                                                                  "",
		`<meta charset=>`:                                                            "",
		``:                                                                           "",
	} {
		if got := declared([]byte(page)); got != want {
			t.Errorf("declared(%s) = %q, want %q", page, got, want)
		}
	}
}
