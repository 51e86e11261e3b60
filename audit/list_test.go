package audit

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func seqs(records []Record) (out []int64) {
	for _, r := range records {
		out = append(out, r.Seq)
	}
	return out
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	dir := newLog(t, 12, Options{})
	for name, c := range map[string]struct {
		q    Query
		want []int64
	}{
		"all":            {Query{}, []int64{12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}},
		"limit":          {Query{Limit: 2}, []int64{12, 11}},
		"page":           {Query{Limit: 2, Before: 11}, []int64{10, 9}},
		"before all":     {Query{Before: 1}, nil},
		"after all":      {Query{Before: 99, Limit: 1}, []int64{12}},
		"actor":          {Query{Actor: "spore-1"}, []int64{10, 7, 4, 1}},
		"action":         {Query{Action: "command"}, []int64{11, 8, 5, 2}},
		"actions":        {Query{Action: "bundle"}, []int64{12, 10, 9, 7, 6, 4, 3, 1}},
		"part of a word": {Query{Action: "bund"}, nil},
		"subject":        {Query{Subject: "secscan@1.3.0", Limit: 1}, []int64{12}},
		"no subject":     {Query{Subject: "secscan"}, nil},
		"outcome":        {Query{Outcome: Refused, Limit: 3}, []int64{11, 9, 7}},
		"since":          {Query{Since: start.Add(9 * time.Second)}, []int64{12, 11, 10}},
		"until":          {Query{Until: start.Add(2 * time.Second)}, []int64{2, 1}},
		"together":       {Query{Actor: "spore-1", Outcome: OK, Before: 10}, []int64{4}},
	} {
		got, err := List(dir, c.q)
		if err != nil || !slices.Equal(seqs(got), c.want) {
			t.Errorf("%s: List = %v, %v, want %v", name, seqs(got), err, c.want)
		}
	}
}

// Pages put together are the log, whatever their size and that of its files.
func TestListPages(t *testing.T) {
	t.Parallel()
	const records = 150 // more than one chunk that is read backwards
	for _, size := range []int64{1, 3000, 1 << 20} {
		dir := newLog(t, records, Options{MaxFile: size})
		for _, limit := range []int{1, 7, records} {
			var all []int64
			for before := int64(0); ; before = all[len(all)-1] {
				page, err := List(dir, Query{Before: before, Limit: limit})
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				all = append(all, seqs(page)...)
			}
			slices.Reverse(all)
			if len(all) != records || all[0] != 1 || !slices.IsSorted(all) {
				t.Errorf("files of %d bytes, pages of %d: %v", size, limit, all)
			}
		}
	}
}

// A reader beside a writer leaves out the line that is just being written.
func TestListLeavesOutWhatIsNotFinished(t *testing.T) {
	t.Parallel()
	dir := newLog(t, 3, Options{})
	path := onlyFile(t, dir)
	write(t, path, append(read(t, path), `{"seq":4,"time"`...))
	for _, before := range []int64{0, 4} {
		if got, err := List(dir, Query{Before: before}); err != nil || !slices.Equal(seqs(got), []int64{3, 2, 1}) {
			t.Errorf("List before %d = %v, %v", before, seqs(got), err)
		}
	}
}

func TestListOfDamaged(t *testing.T) {
	t.Parallel()
	dir := newLog(t, 5, Options{})
	path := onlyFile(t, dir)
	write(t, path, []byte(strings.Replace(string(read(t, path)), `"actor":"spore-0"`, `"actor": "spore-0"`, 1)))
	got, err := List(dir, Query{})
	if err == nil || !strings.Contains(err.Error(), "not a record") || !slices.Equal(seqs(got), []int64{5, 4}) {
		t.Errorf("List = %v, %v, want what is newer than record 3 and an error", seqs(got), err)
	}
	if _, err := List(filepath.Join(dir, "none"), Query{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("List of no log = %v", err)
	}
}
