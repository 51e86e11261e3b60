package ota

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bench/report"
)

const (
	auditTable  = "Audit log: records appended, each on the disk before the call returns where it says so; and all of them verified."
	auditColumn = "records/s"
)

func (s *suite) audit() stage {
	return stage{"audit log", func(context.Context) error {
		for _, callers := range []int{1, 32} {
			if err := s.append(fmt.Sprintf("append, on the disk, %d at once", callers), min(s.size.Records, 500*callers), callers, audit.Options{}, nil); err != nil {
				return err
			}
		}
		return s.append("append, not waited for", s.size.Records, 1, audit.Options{NoSync: true}, s.verify)
	}}
}

// append measures records of n callers in a log of their own, which then may look at.
func (s *suite) append(row string, records, callers int, o audit.Options, then func(dir string) error) error {
	dir, err := os.MkdirTemp(s.dir, "audit-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l, err := audit.Open(dir, o)
	if err != nil {
		return err
	}
	begun := time.Now()
	var all errgroup.Group
	for range callers {
		all.Go(func() error {
			for range records / callers {
				if _, err := l.Append(entry); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = all.Wait()
	s.add(row, records/callers*callers, time.Since(begun))
	if err = errors.Join(err, l.Close()); err != nil || then == nil {
		return err
	}
	return then(dir)
}

// entry is one like those of a spore that changed its bundles.
var entry = audit.Entry{Actor: "spore:s1", Action: "bundle.run", Subject: "wordcount@1.12.0", Outcome: audit.OK,
	Fields: map[string]string{"digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "before": "wordcount@1.11.0"}}

func (s *suite) verify(dir string) error {
	begun := time.Now()
	r, err := audit.Verify(dir)
	if err == nil && r.Last != int64(s.size.Records) {
		err = fmt.Errorf("%d records of %d are there", r.Last, s.size.Records)
	}
	s.add("verify", s.size.Records, time.Since(begun))
	return err
}

func (s *suite) add(row string, records int, took time.Duration) {
	s.report.Add(auditTable, row,
		report.Figure{Column: auditColumn, Value: float64(records) / took.Seconds()},
		report.Figure{Column: "records", Value: float64(records)},
		report.Figure{Column: "s", Value: took.Seconds()})
}
