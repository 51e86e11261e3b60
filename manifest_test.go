package hive_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/hive-spore/hive"
)

func TestSkillLimitsWithDefaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, want hive.SkillLimits }{
		{hive.SkillLimits{}, hive.SkillLimits{Memory: 256 << 20, Output: 1 << 20, Log: 64 << 10}},
		{hive.SkillLimits{Memory: 1, Time: 2, Fuel: 3, Output: 4, Log: 5}, hive.SkillLimits{Memory: 1, Time: 2, Fuel: 3, Output: 4, Log: 5}},
		{hive.SkillLimits{Log: 7}, hive.SkillLimits{Memory: 256 << 20, Output: 1 << 20, Log: 7}},
	} {
		if got := test.in.WithDefaults(); got != test.want {
			t.Errorf("%+v.WithDefaults() = %+v, want %+v", test.in, got, test.want)
		}
	}
}

// A manifest travels as JSON: what a nexus wrote every spore must read.
func TestSkillJSON(t *testing.T) {
	t.Parallel()
	requires, err := hive.ParseSelector("gpu,zone in (eu,us)")
	if err != nil {
		t.Fatal(err)
	}
	warm := false
	full := hive.Skill{
		Manifest: hive.Manifest{
			Name: "secscan", Version: "1.2.0", Description: "finds secrets", Contract: hive.ContractReactor, Entry: "hive_run",
			Input: json.RawMessage(`{"type":"object"}`), Output: json.RawMessage(`true`), Example: []byte("\x00\xff"), Warmup: &warm,
			Args: []string{"-v"}, Env: map[string]string{"LANG": "C"}, Limits: hive.SkillLimits{Memory: 1 << 20, Time: time.Second},
			Requires: requires, Grants: []hive.Grant{hive.GrantLog, hive.GrantKV},
		},
		Digest: digest, Size: 42,
	}
	bare := hive.Skill{Manifest: hive.Manifest{Name: "echo", Version: "0.1.0"}, Digest: digest}
	for _, test := range []struct {
		skill hive.Skill
		want  string
	}{
		{full, `{"name":"secscan","version":"1.2.0","description":"finds secrets","contract":"reactor","entry":"hive_run",` +
			`"input":{"type":"object"},"output":true,"example":"AP8=","warmup":false,"args":["-v"],"env":{"LANG":"C"},` +
			`"limits":{"memory":1048576,"time":1000000000},"requires":"gpu,zone in (eu,us)","grants":["log","kv"],` +
			`"digest":"` + digest + `","size":42}`},
		{bare, `{"name":"echo","version":"0.1.0","digest":"` + digest + `","size":0}`},
	} {
		got, err := json.Marshal(test.skill)
		if string(got) != test.want || err != nil {
			t.Fatalf("Marshal(%s) = %s, %v, want %s", test.skill.Name, got, err, test.want)
		}
		var again hive.Skill
		if err := json.Unmarshal(got, &again); err != nil || !reflect.DeepEqual(again, test.skill) {
			t.Errorf("Unmarshal(%s) = %+v, %v, want %+v", got, again, err, test.skill)
		}
	}
	if got, want := full.ID(), (hive.SkillID{Name: "secscan", Version: "1.2.0", Digest: digest}); got != want {
		t.Errorf("ID() = %+v, want %+v", got, want)
	}
}

func TestGrantsAreDifferent(t *testing.T) {
	t.Parallel()
	grants := slices.Sorted(slices.Values(hive.Grants))
	if n := len(slices.Compact(grants)); n != 10 || len(hive.Grants) != 10 {
		t.Errorf("Grants = %v, want ten different ones", hive.Grants)
	}
}
