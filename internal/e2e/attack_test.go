package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hive-spore/hive/bundle"
)

// attack is what the mirror of a spore shows instead of the repository. Whatever it is,
// the spore refuses it for the reason, goes on with what it runs, and the audit log of
// the nexus has it.
type attack struct {
	name, reason string
	do           func(v *victim)
}

// passing are attacks that would be nothing but that if a client got stuck in them: the
// spore is to follow an honest repository again.
var passing = slices.Concat(endlessFiles[:1], traps, servers)

// The thief of the online keys, who they are not told apart from, may sign for any
// timestamp, snapshot and assignment.
var attacks = slices.Concat(rollbacks, freezes, mixes, endlessFiles, forgeries, software, signatures, traps, servers, manifests(), clocks)

var rollbacks = []attack{
	{"all rolled back", bundle.ReasonRollback, func(v *victim) { v.folder = v.old }},
	{"all but assignments rolled back", bundle.ReasonRollback, func(v *victim) { v.keepAssignments(); v.folder = v.old }},
	{"snapshot rolled back", bundle.ReasonRollback, func(v *victim) {
		data, version := v.before("snapshot")
		v.put("snapshot", data, version)
	}},
	{"targets rolled back", bundle.ReasonRollback, func(v *victim) {
		data, version := v.before("targets")
		v.put("targets", data, version)
	}},
	{"root rolled back", bundle.ReasonRollback, func(v *victim) { v.files["metadata/2.root.json"] = v.root }},
	{"assignments rolled back", bundle.ReasonRollback, func(v *victim) {
		v.files[bundle.AssignmentsFile] = v.bytesIn(v.old, bundle.AssignmentsFile)
	}},
}

var freezes = []attack{
	{"timestamp expired", bundle.ReasonExpired, func(v *victim) { v.forge("timestamp", v.keys["timestamp"], expired) }},
	{"snapshot expired", bundle.ReasonExpired, func(v *victim) { v.forge("snapshot", v.keys["snapshot"], expired) }},
	{"targets expired", bundle.ReasonExpired, func(v *victim) { v.forge("targets", v.keys["targets"], expired) }},
	{"root expired", bundle.ReasonExpired, func(v *victim) { v.forge("root", v.keys["root"], expired) }},
	{"assignments expired", bundle.ReasonExpired, func(v *victim) {
		v.assign("3.0.0", v.manifest("3.0.0"), func(s *bundle.AssignmentSet) { s.Expires = s.Issued.Add(time.Minute); ago(s, time.Hour) })
	}},
}

func expired(signed doc) { signed["expires"] = "2026-01-01T00:00:00Z" }

func ago(s *bundle.AssignmentSet, d time.Duration) {
	s.Issued, s.Expires = s.Issued.Add(-d), s.Expires.Add(-d)
}

var mixes = []attack{
	{"old targets in a new snapshot", bundle.ReasonBadHash, func(v *victim) {
		v.offer("3.0.0")
		_, name := v.signed("targets")
		v.files[name], _ = v.before("targets")
	}},
	{"old snapshot in a new timestamp", bundle.ReasonBadHash, func(v *victim) {
		v.offer("3.0.0")
		_, name := v.signed("snapshot")
		v.files[name], _ = v.before("snapshot")
	}},
	{"old snapshot without hashes", bundle.ReasonMismatch, func(v *victim) {
		data, _ := v.before("snapshot")
		v.put("snapshot", data, 1<<40)
		v.forge("timestamp", v.keys["timestamp"], func(signed doc) { signed["meta"] = doc{"snapshot.json": doc{"version": 1 << 40}} })
	}},
}

// endlessFiles never stop: each is taken as far as it may be large, and no further.
var endlessFiles = []attack{
	{"endless root", bundle.ReasonTooLarge, func(v *victim) { v.faults["metadata/2.root.json"] = endless }},
	{"endless timestamp", bundle.ReasonTooLarge, func(v *victim) { v.faults["metadata/timestamp.json"] = endless }},
	{"endless snapshot", bundle.ReasonTooLarge, func(v *victim) { v.offer("3.0.0"); v.fault("snapshot", endless) }},
	{"endless targets", bundle.ReasonTooLarge, func(v *victim) { v.offer("3.0.0"); v.fault("targets", endless) }},
	{"endless target", bundle.ReasonTooLarge, func(v *victim) { v.faults[fileOf(targetOf("3.0.0"), v.offer("3.0.0"))] = endless }},
	{"endless program", bundle.ReasonTooLarge, func(v *victim) { v.offer("3.0.0"); v.faults[v.programOf("3.0.0")] = endless }},
	{"endless assignments", bundle.ReasonTooLarge, func(v *victim) { v.faults[bundle.AssignmentsFile] = endless }},
}

// forgeries are not the bytes that were signed for.
var forgeries = []attack{
	{"bytes of another target", bundle.ReasonBadHash, func(v *victim) {
		v.files[fileOf(targetOf("3.0.0"), v.offer("3.0.0"))] = v.manifest("4.0.0")
	}},
	{"half a target", bundle.ReasonBadHash, func(v *victim) {
		data := v.offer("3.0.0")
		v.files[fileOf(targetOf("3.0.0"), data)] = data[:len(data)/2]
	}},
	{"a bundle under another version", bundle.ReasonInvalid, func(v *victim) {
		data := v.manifest("4.0.0")
		v.list(targetOf("3.0.0"), data)
		v.assign("3.0.0", data)
	}},
	{"a bundle under another name", bundle.ReasonInvalid, func(v *victim) {
		data := v.manifest("3.0.0")
		v.list("bundles/dog/3.0.0.json", data)
		v.assign("3.0.0", data, func(s *bundle.AssignmentSet) {
			cat := s.Assignments[0]
			cat.Version, cat.Digest, s.Assignments[0].Bundle = v.running.Version, v.running.Digest, "dog"
			s.Assignments = append(s.Assignments, cat)
		})
	}},
	{"bytes of another program", bundle.ReasonBadHash, func(v *victim) {
		v.offer("3.0.0")
		v.files[v.programOf("3.0.0")], _ = cat(v.T, "6.6.6")
	}},
	{"no program", bundle.ReasonMissing, func(v *victim) { v.offer("3.0.0"); delete(v.files, v.programOf("3.0.0")) }},
	{"another digest assigned than listed", bundle.ReasonMismatch, func(v *victim) {
		v.offer("3.0.0")
		v.assign("3.0.0", v.manifest("4.0.0"))
	}},
}

// software is what no publisher signed.
var software = []attack{
	{"a bundle that is not listed", bundle.ReasonNotListed, func(v *victim) {
		data := v.manifest("6.6.6")
		v.files[fileOf(targetOf("6.6.6"), data)] = data
		v.assign("6.6.6", data)
	}},
	{"a bundle under names that look like it", bundle.ReasonNotListed, func(v *victim) {
		data := v.manifest("6.6.6")
		for _, target := range []string{"bundles/CAT/6.6.6.json", "bundles/x/../cat/6.6.6.json", "bundles/cat/6.6.6.json\x00", "../../6.6.6.json", "/etc/passwd"} {
			v.list(target, data)
		}
		v.assign("6.6.6", data)
	}},
	{"a bundle listed by a stranger", bundle.ReasonBadSignature, func(v *victim) { v.offerBy(v.keys["stranger"]) }},
	{"a bundle listed by online keys", bundle.ReasonBadSignature, func(v *victim) {
		v.offerBy(slices.Concat(v.keys["snapshot"], v.keys["timestamp"], v.keys["nexus"]))
	}},
	{"assigned by a stranger", bundle.ReasonBadSignature, func(v *victim) {
		data := v.offer("3.0.0")
		delete(v.files, bundle.AssignmentsFile)
		v.assignBy(v.keys["stranger"][0], "3.0.0", data)
	}},
	{"assigned by nobody", bundle.ReasonUnparsable, func(v *victim) { v.files[bundle.AssignmentsFile] = []byte(`{"generation":9}`) }},
}

// signatures are too few, or not of the keys that count. Two of three are needed.
var signatures = []attack{
	{"root of one key", bundle.ReasonBadSignature, func(v *victim) { v.forge("root", v.keys["root"][:1], unchanged) }},
	{"root of a stranger", bundle.ReasonBadSignature, func(v *victim) { v.forge("root", v.keys["stranger"], unchanged) }},
	{"root that asks for one key", bundle.ReasonBadSignature, func(v *victim) {
		v.forge("root", v.keys["root"][:1], func(signed doc) { signed["roles"].(doc)["root"].(doc)["threshold"] = 1 })
	}},
	{"root of one key twice", bundle.ReasonUnparsable, func(v *victim) { v.forge("root", twice(v.keys["root"][0]), unchanged) }},
	{"unsigned root", bundle.ReasonBadSignature, func(v *victim) { v.forge("root", nil, unchanged) }},
	{"targets of one key", bundle.ReasonBadSignature, func(v *victim) { v.offerBy(v.keys["targets"][:1]) }},
	{"targets of one key twice", bundle.ReasonUnparsable, func(v *victim) { v.offerBy(twice(v.keys["targets"][0])) }},
	{"targets of root keys", bundle.ReasonBadSignature, func(v *victim) { v.offerBy(v.keys["root"]) }},
	{"unsigned targets", bundle.ReasonBadSignature, func(v *victim) { v.offerBy(nil) }},
	{"snapshot of a stranger", bundle.ReasonBadSignature, func(v *victim) { v.forge("snapshot", v.keys["stranger"], unchanged) }},
	{"timestamp of a stranger", bundle.ReasonBadSignature, func(v *victim) { v.forge("timestamp", v.keys["stranger"], unchanged) }},
	{"old keys and the new root hidden", bundle.ReasonBadSignature, func(v *victim) { v.followRotation(); v.stolen() }},
	{"old keys after a restart", bundle.ReasonBadSignature, func(v *victim) {
		v.followRotation()
		v.stop()
		v.stolen()
		v.show()
		v.begin()
	}},
	{"old keys after a loss", bundle.ReasonRollback, func(v *victim) {
		v.followRotation()
		v.stop()
		v.truncate("trusted")
		v.stolen()
		v.show()
		v.begin()
	}},
}

func unchanged(doc) {}

func twice(key *bundle.Key) []*bundle.Key { return []*bundle.Key{key, key} }

// traps are what go-tuf's own client falls into. A state that was damaged while the
// spore was away still knows what was seen.
var traps = []attack{
	{"timestamp without a snapshot", bundle.ReasonUnparsable, func(v *victim) {
		v.forge("timestamp", v.keys["timestamp"], func(signed doc) { signed["meta"] = doc{} })
	}},
	{"snapshot without targets", bundle.ReasonUnparsable, func(v *victim) {
		v.forge("snapshot", v.keys["snapshot"], func(signed doc) { signed["meta"] = doc{} })
	}},
	{"timestamp cut", bundle.ReasonUnparsable, func(v *victim) {
		v.files["metadata/timestamp.json"] = v.bytes("metadata/timestamp.json")[:99]
	}},
	{"metadata lost", bundle.ReasonRollback, func(v *victim) { v.keepAssignments(); v.damaged(v.old, "trusted") }},
	{"floor lost", bundle.ReasonRollback, func(v *victim) { v.keepAssignments(); v.damaged(v.old, "floor") }},
	{"metadata and floor lost", bundle.ReasonRollback, func(v *victim) { v.damaged(v.old, "trusted", "floor") }},
	{"generation lost", bundle.ReasonRollback, func(v *victim) { v.damaged(v.old, "assigned") }},
	{"local root malformed", bundle.ReasonRollback, func(v *victim) {
		v.stop()
		v.edit("trusted", func(state doc) { state["Root"] = []byte(`{"signed":{"_type":"root"}}`) })
		v.keepAssignments()
		v.folder = v.old
		v.show()
		v.begin()
	}},
}

// servers answer what no file server does. Only 404 means that there is no newer root.
var servers = []attack{
	{"500 for the next root", bundle.ReasonUnreachable, func(v *victim) { v.faults["metadata/2.root.json"] = status(500) }},
	{"403 for the next root", bundle.ReasonUnreachable, func(v *victim) { v.faults["metadata/2.root.json"] = status(403) }},
	{"204 for the next root", bundle.ReasonUnreachable, func(v *victim) { v.faults["metadata/2.root.json"] = status(204) }},
	{"404 for the timestamp", bundle.ReasonMissing, func(v *victim) { v.faults["metadata/timestamp.json"] = status(404) }},
	{"redirect to another host", bundle.ReasonHostRefused, func(v *victim) {
		other := newMirror(v.T, v.repo())
		v.faults["metadata/timestamp.json"] = http.RedirectHandler(other.URL+"/metadata/timestamp.json", http.StatusFound).ServeHTTP
		v.Cleanup(func() {
			if other.asked() > 0 {
				v.Error("the other host was asked")
			}
		})
	}},
	{"redirect without end", bundle.ReasonUnreachable, func(v *victim) {
		v.faults["metadata/2.root.json"] = http.RedirectHandler("/metadata/2.root.json", http.StatusFound).ServeHTTP
	}},
	{"endless header", bundle.ReasonUnreachable, func(v *victim) {
		v.faults["metadata/2.root.json"] = func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }
	}},
	{"half an answer", bundle.ReasonUnreachable, func(v *victim) {
		v.faults["metadata/timestamp.json"] = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			_, _ = w.Write([]byte("{"))
		}
	}},
	{"redirect to the cloud", bundle.ReasonHostRefused, func(v *victim) {
		v.faults["metadata/2.root.json"] = http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound).ServeHTTP
	}},
}

// manifests are bundles that the publisher's own keys signed for.
func manifests() (list []attack) {
	for name, edit := range map[string]func(good string) string{
		"key twice":         func(s string) string { return strings.Replace(s, `{`, `{"name":"cat",`, 1) },
		"key in two cases":  func(s string) string { return strings.Replace(s, `{`, `{"Name":"dog",`, 1) },
		"unknown key":       func(s string) string { return strings.Replace(s, `{`, `{"another":1,`, 1) },
		"depth 10000":       func(s string) string { return strings.Repeat(`{"a":`, 10_000) + s + strings.Repeat("}", 10_000) },
		"arrays 10000 deep": func(string) string { return strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) },
		"trailing bytes":    func(s string) string { return s + "x" },
		"another after it":  func(s string) string { return s + s },
		"NaN":               func(s string) string { return edited(s, `"size":`, `"size":NaN,"x":`) },
		"1e999":             func(s string) string { return edited(s, `"size":`, `"size":1e999,"x":`) },
		"a way up":          func(s string) string { return edited(s, `"name":"cat"`, `"name":"../../cat"`) },
		"NUL":               func(s string) string { return edited(s, `"name":"cat"`, `"name":"cat\u0000"`) },
		"raw NUL":           func(s string) string { return edited(s, `"name":"cat"`, "\"name\":\"cat\x00\"") },
		"not UTF-8":         func(s string) string { return edited(s, `"name":"cat"`, "\"name\":\"cat\xff\"") },
		"case twins":        twins,
		"empty":             func(string) string { return "" },
	} {
		list = append(list, attack{"manifest with " + strings.ToLower(name), bundle.ReasonUnparsable, func(v *victim) {
			data := []byte(edit(string(v.manifest("3.0.0"))))
			v.list(targetOf("3.0.0"), data)
			v.assign("3.0.0", data)
		}})
	}
	return list
}

// edited replaces the last of several, which is the skill's.
func edited(s, old, new string) string {
	at := strings.LastIndex(s, old)
	return s[:at] + new + s[at+len(old):]
}

// twins has the skill twice, in versions that are one name on some disks.
func twins(s string) string {
	_, skill, _ := strings.Cut(s, `"skills":[`)
	skill, _, _ = strings.Cut(skill, `]`)
	twin := func(version string) string { return edited(skill, `"version":"3.0.0"`, `"version":"`+version+`"`) }
	return strings.Replace(s, skill, twin("3.0.0-a")+","+twin("3.0.0-A"), 1)
}

const year = 365 * 24 * time.Hour

// clocks are a year apart. A process has no other clock than its machine, so that it is
// what was signed, or seen, that is of another year.
var clocks = []attack{
	{"a clock a year ahead", bundle.ReasonExpired, func(v *victim) { v.resealed(-year) }},
	{"a clock a year behind", bundle.ReasonFuture, func(v *victim) {
		v.resealed(year)
		v.assign("3.0.0", v.manifest("3.0.0"), func(s *bundle.AssignmentSet) { ago(s, -year) })
	}},
	{"a clock that went back a year", bundle.ReasonClock, func(v *victim) {
		v.stop()
		v.edit("floor", func(state doc) { state["Time"] = time.Now().Add(year).UTC() })
		v.offer("3.0.0")
		v.show()
		v.begin()
	}},
}

// after checks what is to be said of a spore that is attacked: it refuses and goes on.
func (v *victim) after(reason string) {
	v.Helper()
	v.refuses(reason)
	v.goesOn()
	v.audited("bundle.refuse", reason)
}

func TestAttacks(t *testing.T) {
	s := newSiege(t)
	slow := s.victim(t, "slow", false) // a byte a second: it takes all of a spore's patience
	slow.faults["metadata/timestamp.json"] = dripping
	slow.show()
	var refused atomic.Int64 // fewer with -run
	t.Run("on spores", func(t *testing.T) {
		for i, a := range attacks {
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				v := s.victim(t, fmt.Sprint("v", i+1), false)
				a.do(v)
				v.show()
				v.after(a.reason)
				if slices.ContainsFunc(passing, func(p attack) bool { return p.name == a.name }) {
					v.heals()
				}
				refused.Add(1)
			})
		}
	})
	slow.after(bundle.ReasonTooSlow)
	s.audits(int(refused.Load()) + 1)
}
