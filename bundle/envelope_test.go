package bundle

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

// keyPair is a key that is the same in every run.
func keyPair(n byte) (ed25519.PrivateKey, []ed25519.PublicKey) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
	return key, []ed25519.PublicKey{key.Public().(ed25519.PublicKey)}
}

func command(mutate func(*Command)) *Command {
	c := &Command{ID: "06fz0000000000000000a1", Issuer: "nexus@host:7", Command: hive.CommandDrain, Data: json.RawMessage(`{"a":1}`),
		Generation: 3, Issued: midnight, Expires: midnight.Add(time.Minute)}
	if mutate != nil {
		mutate(c)
	}
	return c
}

func set(mutate func(*AssignmentSet)) *AssignmentSet {
	s := &AssignmentSet{Generation: 3, Issued: midnight, Expires: midnight.Add(time.Hour),
		Assignments: []Assignment{parseAssignment("scan 1.3.0 25% if zone=eu else 1.2.0"), parseAssignment("draw 1.0.0 100%")}}
	if mutate != nil {
		mutate(s)
	}
	return s
}

func TestEnvelopeIsReadBack(t *testing.T) {
	t.Parallel()
	key, keys := keyPair(1)
	_, others := keyPair(2)
	all := append(others, nil, keys[0], keys[0])
	c := command(func(c *Command) {
		c.Target.Selector = must(hive.ParseSelector("mem_gb>=16,zone in (eu,us)"))
		c.Data = json.RawMessage(`{"reply":"\u003c&"}`)
	})
	if got, err := ReadCommand(must(c.Sign(key)), all); err != nil || got.String() != c.String() || got.Target.Selector.String() != c.Target.Selector.String() {
		t.Errorf("ReadCommand = %+v, %v, want %+v", got, err, c)
	}
	s := set(nil)
	if got, err := ReadAssignments(must(s.Sign(key)), all); err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("ReadAssignments = %+v, %v, want %+v", got, err, s)
	}
}

// The key's id is the one that TUF gives this key.
func TestKeyIsNamedAsTUFDoes(t *testing.T) {
	t.Parallel()
	_, keys := keyPair(1)
	if got, want := keyID(keys[0]), "7ab6b86cb2c9684b0ddc10896153aa2595decf4d4327a5ff1a8ab7422c828b12"; got != want {
		t.Errorf("keyID = %s, want %s", got, want)
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	key, keys := keyPair(1)
	other, _ := keyPair(2)
	good := string(must(Sign(TypeCommand, []byte("hello"), key)))
	sig := good[strings.Index(good, `"signatures":[`)+len(`"signatures":[`) : len(good)-2]
	for name, c := range map[string]struct{ envelope, reason string }{
		"nothing":            {"", ReasonUnparsable},
		"null":               {"null", ReasonUnparsable},
		"other type":         {string(must(Sign(TypeAssignments, []byte("hello"), key))), ReasonUnparsable},
		"type replaced":      {strings.Replace(string(must(Sign("x", []byte("hello"), key))), `"x"`, `"`+TypeCommand+`"`, 1), ReasonBadSignature},
		"other key":          {string(must(Sign(TypeCommand, []byte("hello"), other))), ReasonBadSignature},
		"payload replaced":   {strings.Replace(good, "aGVsbG8", "bGVsbG8", 1), ReasonBadSignature},
		"payload no base64":  {strings.Replace(good, "aGVsbG8", "aGVsb!!", 1), ReasonBadSignature},
		"unsigned":           {strings.Replace(good, sig, "", 1), ReasonBadSignature},
		"signature is short": {strings.Replace(good, sig, `{"keyid":"","sig":"AAAA"}`, 1), ReasonBadSignature},
		"signature no text":  {strings.Replace(good, sig, `{"keyid":"","sig":"!"}`, 1), ReasonBadSignature},
		"many signatures":    {strings.Replace(good, sig, strings.Repeat(sig+",", maxSignatures)+sig, 1), ReasonTooLarge},
		"trailing bytes":     {good + "{}", ReasonUnparsable},
		"a space":            {good + " ", ReasonUnparsable},
		"key twice":          {strings.Replace(good, `{"payloadType"`, `{"payload":"","payloadType"`, 1), ReasonUnparsable},
		"unknown key":        {strings.Replace(good, `{"payloadType"`, `{"x":1,"payloadType"`, 1), ReasonUnparsable},
		"other case":         {strings.Replace(good, `"payload"`, `"PAYLOAD"`, 1), ReasonUnparsable},
		"deep":               {strings.Repeat("[", 100_000), ReasonUnparsable},
		"long":               {strings.Repeat(" ", MaxEnvelope+1), ReasonTooLarge},
	} {
		if payload, err := Verify([]byte(c.envelope), keys, TypeCommand); Reason(err) != c.reason || payload != nil {
			t.Errorf("%s: Verify = %q, %v, want %s", name, payload, err, c.reason)
		}
	}
	for _, none := range [][]ed25519.PublicKey{nil, {nil}, {{1, 2}}} {
		if _, err := Verify([]byte(good), none, TypeCommand); Reason(err) != ReasonBadSignature {
			t.Errorf("Verify by %v = %v, want %s", none, err, ReasonBadSignature)
		}
	}
	// One good signature is enough, whatever stands beside it and whatever it says its key is.
	bad := `{"keyid":"","sig":"` + base64.StdEncoding.EncodeToString(make([]byte, ed25519.SignatureSize)) + `"}`
	if _, err := Verify([]byte(strings.Replace(good, sig, bad+","+sig, 1)), keys, TypeCommand); err != nil {
		t.Errorf("beside a bad signature: %v", err)
	}
	ecdsaKey := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	if _, err := Sign(TypeCommand, nil, ecdsaKey); Reason(err) != ReasonInvalid {
		t.Errorf("Sign by an ECDSA key = %v", err)
	}
	if _, err := Sign(TypeCommand, make([]byte, MaxEnvelope), key); Reason(err) != ReasonTooLarge {
		t.Errorf("Sign of too much = %v", err)
	}
}

// What cannot be is neither signed nor, where somebody signs it, read.
func TestCommandsThatCannotBe(t *testing.T) {
	t.Parallel()
	for want, mutate := range map[string]func(*Command){
		"task id":                  func(c *Command) { c.ID = "../x" },
		"want one of [PING":        func(c *Command) { c.Command = "REBOOT" },
		"issuer":                   func(c *Command) { c.Issuer = "a\nb" },
		"issuer: want 1":           func(c *Command) { c.Issuer = "" },
		"generation 0":             func(c *Command) { c.Generation = 0 },
		"want UTC":                 func(c *Command) { c.Issued = c.Issued.In(time.FixedZone("", 3600)) },
		"want a time after issued": func(c *Command) { c.Expires = c.Issued },
		"valid for 2m0.001s":       func(c *Command) { c.Expires = c.Issued.Add(120*time.Second + time.Millisecond) },
		"spore id":                 func(c *Command) { c.Target.Spores = []string{"a", "b c"} },
		"not both":                 func(c *Command) { c.Target = Target{[]string{"a"}, must(hive.ParseSelector("gpu"))} },
		"1025 spores":              func(c *Command) { c.Target.Spores = make([]string, 1025) },
		"not the JSON":             func(c *Command) { c.Target.Selector = hive.Selector{{Key: "A", Op: hive.OpExists}} },
		"not in its one spelling": func(c *Command) {
			c.Target.Selector = append(must(hive.ParseSelector("b")), must(hive.ParseSelector("a"))...)
		},
		"bytes, at most 65536 allow": func(c *Command) { c.Data = json.RawMessage(`"` + strings.Repeat("x", maxCommand) + `"`) },
	} {
		checkUnsignable(t, want, command(mutate), func(e []byte, k []ed25519.PublicKey) error {
			_, err := ReadCommand(e, k)
			return err
		}, TypeCommand)
	}
}

func TestSetsThatCannotBe(t *testing.T) {
	t.Parallel()
	for want, mutate := range map[string]func(*AssignmentSet){
		"generation -1":             func(s *AssignmentSet) { s.Generation = -1 },
		"want a time after issued":  func(s *AssignmentSet) { s.Expires = midnight },
		"4097 assignments":          func(s *AssignmentSet) { s.Assignments = make([]Assignment, 4097) },
		"assignment 2: percent 101": func(s *AssignmentSet) { s.Assignments[1].Percent = 101 },
		"assignment 2: percent -1":  func(s *AssignmentSet) { s.Assignments[1].Percent = -1 },
		"skill name":                func(s *AssignmentSet) { s.Assignments[1].Bundle = "Scan" },
		"version":                   func(s *AssignmentSet) { s.Assignments[1].Version = "1" },
		"digest":                    func(s *AssignmentSet) { s.Assignments[1].Digest = "1.0.0" },
		"assignment 1: digest":      func(s *AssignmentSet) { s.Assignments[0].Previous.Digest = "sha256:" },
		"draw@1.0.0 is assigned":    func(s *AssignmentSet) { s.Assignments = append(s.Assignments, s.Assignments[1]) },
		"scan@1.2.0 has two digests": func(s *AssignmentSet) {
			s.Assignments[1] = Assignment{Bundle: "scan", Version: "1.2.0", Digest: ref("a", "b").Digest}
		},
	} {
		checkUnsignable(t, want, set(mutate), func(e []byte, k []ed25519.PublicKey) error {
			_, err := ReadAssignments(e, k)
			return err
		}, TypeAssignments)
	}
}

func checkUnsignable(t *testing.T, want string, v interface {
	Sign(crypto.Signer) ([]byte, error)
}, read func([]byte, []ed25519.PublicKey) error, kind string) {
	t.Helper()
	key, keys := keyPair(1)
	if _, err := v.Sign(key); Reason(err) != ReasonInvalid || !strings.Contains(err.Error(), want) {
		t.Errorf("Sign = %v, want %q in it", err, want)
	}
	if err := read(must(Sign(kind, must(json.Marshal(v)), key)), keys); Reason(err) != ReasonUnparsable || !strings.Contains(err.Error(), want) {
		t.Errorf("read = %v, want %q in it", err, want)
	}
}

// However JSON is spelled otherwise, it is not read although it is signed.
func TestOtherSpellings(t *testing.T) {
	t.Parallel()
	key, keys := keyPair(1)
	good := string(must(json.Marshal(command(nil))))
	for name, text := range map[string]string{
		"as it is":      good,
		"key twice":     strings.Replace(good, `"issuer"`, `"id":"x","issuer"`, 1),
		"unknown key":   strings.Replace(good, `"issuer"`, `"a":1,"issuer"`, 1),
		"a space":       strings.Replace(good, `,`, `, `, 1),
		"an escape":     strings.Replace(good, `nexus@`, `nexus\u0040`, 1),
		"another zone":  strings.Replace(good, `00:00:00Z`, `01:00:00+01:00`, 1),
		"no zone":       strings.Replace(good, `00:00:00Z`, `00:00:00+00:00`, 1),
		"a fraction":    strings.Replace(good, `"generation":3`, `"generation":3.0`, 1),
		"not a number":  strings.Replace(good, `"generation":3`, `"generation":NaN`, 1),
		"trailing":      good + "x",
		"empty members": strings.Replace(good, `"target":{}`, `"target":{"spores":[]}`, 1),
	} {
		_, err := ReadCommand(must(Sign(TypeCommand, []byte(text), key)), keys)
		if want := map[bool]string{true: "", false: ReasonUnparsable}[text == good]; Reason(err) != want || (text == good) != (name == "as it is") {
			t.Errorf("%s: ReadCommand = %v, want %q", name, err, want)
		}
	}
}

func FuzzVerify(f *testing.F) {
	key, keys := keyPair(1)
	good := must(command(nil).Sign(key))
	f.Add(good)
	f.Add(must(set(nil).Sign(key)))
	f.Add([]byte(`{"payloadType":"","payload":"","signatures":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []string{TypeCommand, TypeAssignments} {
			payload, err := Verify(data, keys, kind)
			if (err == nil) != (Reason(err) == "") || err != nil && strings.Contains(err.Error(), "\n") {
				t.Fatalf("Verify: %q of reason %q", err, Reason(err))
			}
			if err == nil && string(payload) != string(must(json.Marshal(command(nil)))) && string(payload) != string(must(json.Marshal(set(nil)))) {
				t.Fatalf("%s was never signed", payload)
			}
		}
	})
}

// Payloads that are signed, as by a stolen key, may hold anything: what is read is
// valid and has this one spelling.
func FuzzPayload(f *testing.F) {
	f.Add(must(json.Marshal(command(nil))))
	f.Add(must(json.Marshal(set(nil))))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, v := range []payload{new(Command), new(AssignmentSet)} {
			if err := parse(data, v, maxSet); err != nil {
				continue
			}
			if again, err := json.Marshal(v); err != nil || !bytes.Equal(again, data) {
				t.Fatalf("%s is read as %s, %v", data, again, err)
			}
			me := Spore{"a", hive.Tags{"zone": "eu"}}
			switch v := v.(type) {
			case *AssignmentSet:
				for _, r := range v.For(me) {
					if err := CheckRun(r.Bundle, r.Ref); err != nil {
						t.Fatalf("runs %v: %v", r, err)
					}
				}
			case *Command:
				if err := v.Check(me, midnight); err != nil && strings.Contains(fmt.Sprint(err), "\n") {
					t.Fatalf("%q", err)
				}
			}
		}
	})
}
