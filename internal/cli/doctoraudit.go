package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hive-spore/hive/audit"
)

const beginLog = "set audit.dir, for a nexus to write it"

func auditLog(_ context.Context, p *patient) finding {
	dir := p.cfg.Audit.Dir
	if dir == "" {
		return miss(beginLog, "no audit log is kept")
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return miss("start the nexus that writes it", "%s: no audit log there", dir)
	}
	var heads []audit.Head
	if head, err := p.head(); err == nil {
		heads = append(heads, head)
	}
	report, err := audit.Verify(dir, heads...)
	switch {
	case err != nil:
		return miss("nexus audit verify; treat the machine as broken into until you know why", "%v", err)
	case report.Last == 0:
		return good("no record yet")
	}
	return good("records %d to %d are whole", report.First, report.Last)
}

// errNoNexus says that nobody's signature of a head can be checked.
var errNoNexus = errors.New("no key of the nexus is known")

// head is the one that was signed last.
func (p *patient) head() (audit.Head, error) {
	keys := slices.Clone(p.repo.nexus)
	if dir := p.cfg.OTA.Keys; dir != "" {
		if key, err := nexusKey(dir); err == nil {
			keys = append(keys, key.Ed25519())
		}
	}
	if len(keys) == 0 {
		return audit.Head{}, errNoNexus
	}
	return audit.ReadHeadOf(filepath.Join(p.cfg.Audit.Dir, audit.HeadFile), keys...)
}

// maxHeadAge is the age from which on it seems that nobody signs heads: a nexus does
// every hour.
const maxHeadAge = 2 * time.Hour

func auditHead(_ context.Context, p *patient) finding {
	const do = "run a nexus with audit.dir and ota.keys; and keep copies of head.json elsewhere"
	if p.cfg.Audit.Dir == "" {
		return skip("no audit log is kept")
	}
	head, err := p.head()
	if errors.Is(err, errNoNexus) {
		return skip("%v, so no signature can be checked", err)
	}
	var info fs.FileInfo
	if err == nil {
		info, err = os.Stat(filepath.Join(p.cfg.Audit.Dir, audit.HeadFile))
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return miss(do, "none was signed yet")
	case err != nil:
		return miss(do, "%v", err)
	}
	age := p.now.Sub(info.ModTime())
	if age > maxHeadAge {
		return miss(do, "last signed %s ago, up to record %d: records cut from the end since then would not be missed", about(age), head.Seq)
	}
	return good("signed %s ago, up to record %d", about(age), head.Seq)
}
