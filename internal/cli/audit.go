package cli

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/bundle"
)

func (a *app) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "List, verify and export the audit log",
		Long: `List, verify and export the audit log: what was published, rolled out, installed,
refused, commanded and denied. It lies in a folder, audit.dir of hive.toml unless --dir
says otherwise, and may be read while a nexus writes it.`,
	}
	onlyCommands(cmd)
	cmd.AddCommand(a.auditListCommand(), a.auditVerifyCommand(), a.auditExportCommand())
	return cmd
}

// auditDir is the folder of the log that is meant.
func (a *app) auditDir(flag string) (string, error) {
	dir := flag
	if dir == "" {
		if err := a.configure(); err != nil {
			return "", err
		}
		dir = a.cfg.Audit.Dir
	}
	if dir == "" {
		return "", usagef("which audit log? --dir DIR, or audit.dir in hive.toml")
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s: no audit log there", dir)
	}
	return dir, nil
}

func addDir(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "dir", "", "folder of the log (default: audit.dir)")
}

func (a *app) auditListCommand() *cobra.Command {
	var q audit.Query
	var dir, since, outcome string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List records, newest first",
		Example: "  nexus audit list --action bundle --since 24h\n  nexus audit list --actor spore/a --outcome refused --json",
		Args:    wantArgs(0, 0),
		RunE: func(*cobra.Command, []string) (err error) {
			if q.Limit < 1 {
				return usagef("--limit %d: want 1 or more", q.Limit)
			}
			q.Outcome = audit.Outcome(outcome)
			if outcome != "" && q.Outcome != audit.OK && q.Outcome != audit.Refused && q.Outcome != audit.Failed {
				return usagef("--outcome %q: want %s, %s or %s", outcome, audit.OK, audit.Refused, audit.Failed)
			}
			if q.Since, err = sinceTime(since, time.Now()); err != nil {
				return usageError{err}
			}
			return a.listAudit(dir, q)
		},
	}
	addDir(cmd, &dir)
	cmd.Flags().StringVar(&q.Action, "action", "", "only this action, or those that begin with it and a dot")
	cmd.Flags().StringVar(&q.Actor, "actor", "", "only what this one did, such as spore/a")
	cmd.Flags().StringVar(&q.Subject, "subject", "", "only what was done to this")
	cmd.Flags().StringVar(&outcome, "outcome", "", "only ok, refused or failed")
	cmd.Flags().StringVar(&since, "since", "", "only from this time on: 90m, 24h, 2026-01-02 or 2026-01-02T03:04:05Z")
	cmd.Flags().IntVar(&q.Limit, "limit", 100, "at most so many")
	return cmd
}

// sinceTime reads a time, or how long ago it was; none: the zero time.
func sinceTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--since %q: want how long ago, such as 90m or 24h, or a time such as 2026-01-02 or 2026-01-02T03:04:05Z", text)
}

func (a *app) listAudit(flag string, q audit.Query) error {
	dir, err := a.auditDir(flag)
	if err != nil {
		return err
	}
	records, errList := audit.List(dir, q) // with an error, what is newer than the damage
	if a.flags.json {
		err = a.printRecords(records)
	} else {
		rows := make([][]string, len(records))
		for i, r := range records {
			rows[i] = []string{fmt.Sprint(r.Seq), r.Time.Format(time.RFC3339), r.Actor, r.Action, r.Subject, string(r.Outcome), r.Reason}
		}
		err = table(a.Out, []string{"RECORD", "TIME", "ACTOR", "ACTION", "SUBJECT", "OUTCOME", "REASON"}, rows)
	}
	return errors.Join(errList, err, a.sayPending(dir))
}

// printRecords prints records as they stand in the log: in printable ASCII.
func (a *app) printRecords(records []audit.Record) error {
	lines := make([]json.RawMessage, len(records))
	for i := range records {
		var err error
		if lines[i], err = records[i].Line(); err != nil {
			return err
		}
	}
	return printJSON(a.Out, lines)
}

// sayPending says that there is more than the log has.
func (a *app) sayPending(dir string) error {
	pending, err := audit.Pending(dir)
	if err == nil && len(pending) > 0 {
		a.say("%s beside the log for the nexus that writes it", plural(len(pending), "entry waits", "entries wait"))
	}
	return err
}

// headFlags say which head is held against a log, and by whose key.
type headFlags struct {
	head, keys string
	from       sourceFlags
}

func (a *app) auditVerifyCommand() *cobra.Command {
	var f headFlags
	var dir string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that no record was changed or removed",
		Long: `Check that no record was changed or removed, and name the first bad one (exit code 1).
The log itself cannot show that records were cut from its end: a head can, which names the
newest record and is signed by the nexus key. --head names one that was kept elsewhere, by
itself or at the end of an export; else it is the head.json of the log, which whoever
can write the log can put back to an older one.

Whose key that is: nexus.key in --keys, or the keys that a repository lists for its nexus,
--repo with --root. Without either only the log itself is checked.`,
		Example: "  nexus audit verify\n  nexus audit verify --head kept/head.json --repo https://repo.example --root root.json",
		Args:    wantArgs(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.verifyAudit(cmd.Context(), dir, &f) },
	}
	addDir(cmd, &dir)
	cmd.Flags().StringVar(&f.head, "head", "", "file with a signed head (default, if a key is known: head.json of the log)")
	cmd.Flags().StringVar(&f.keys, "keys", "", "directory of keys that has the nexus key")
	cmd.Flags().StringVar(&f.from.repo, "repo", "", "folder or URL of the repository that lists the nexus keys")
	cmd.Flags().StringVar(&f.from.root, "root", "", "the root that trust in it starts from")
	return cmd
}

func (f *headFlags) check() error {
	switch {
	case (f.from.repo == "") != (f.from.root == ""):
		return usagef("--repo and --root go together")
	case f.keys != "" && f.from.repo != "":
		return usagef("--keys, or --repo with --root: want one of them")
	case f.head != "" && f.keys == "" && f.from.repo == "":
		return usagef("--head: whose key signed it? --keys DIR, or --repo REPO|URL with --root root.json")
	}
	return nil
}

// headKeys returns the keys that may have signed a head; none: nobody said.
func (a *app) headKeys(ctx context.Context, f *headFlags) (keys []ed25519.PublicKey, err error) {
	if f.keys != "" {
		key, err := nexusKey(f.keys)
		if err != nil {
			return nil, err
		}
		return []ed25519.PublicKey{key.Ed25519()}, nil
	}
	if f.from.repo == "" {
		return nil, nil
	}
	err = a.follow(ctx, f.from, func(c *bundle.Client) error {
		keys, err = c.NexusKeys(ctx)
		return err
	})
	return keys, err
}

func nexusKey(dir string) (*bundle.Key, error) {
	keys, err := bundle.LoadKeys(dir, bundle.RoleNexus, "")
	if err != nil {
		return nil, err
	}
	return keys[0], nil
}

func (a *app) verifyAudit(ctx context.Context, flag string, f *headFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	dir, err := a.auditDir(flag)
	if err != nil {
		return err
	}
	keys, err := a.headKeys(ctx, f)
	if err != nil {
		return err
	}
	var heads []audit.Head
	if len(keys) > 0 {
		path := f.head
		if path == "" {
			path = filepath.Join(dir, audit.HeadFile)
		}
		head, err := audit.ReadHeadOf(path, keys...)
		if err != nil {
			return err
		}
		heads = append(heads, head)
	}
	report, err := audit.Verify(dir, heads...)
	if err != nil {
		return err
	}
	return errors.Join(a.printVerified(report, heads), a.sayPending(dir))
}

func (a *app) printVerified(r audit.Report, heads []audit.Head) error {
	if a.flags.json {
		v := struct {
			First int64       `json:"first"`
			Last  int64       `json:"last"`
			Files int         `json:"files"`
			Head  audit.Head  `json:"head"`
			Held  *audit.Head `json:"held_against"` // the signed one; null: none
		}{r.First, r.Last, r.Files, r.Head, nil}
		if len(heads) > 0 {
			v.Held = &heads[0]
		}
		return printJSON(a.Out, v)
	}
	fmt.Fprintf(a.Out, "records %d to %d are whole, %s\n", r.First, r.Last, r.Head.Hash)
	switch {
	case len(heads) == 0:
		a.say("no head was held against them: records cut from the end would not be missed (--keys, --head)")
	default:
		a.say("a signed head of %s vouches for them up to record %d", heads[0].Time.Format(time.RFC3339), heads[0].Seq)
	}
	return nil
}

func (a *app) auditExportCommand() *cobra.Command {
	var dir, keys, out string
	cmd := &cobra.Command{
		Use:   "export -o FILE --keys DIR",
		Short: "Write the records and a signed head into one file",
		Long: `Write all records into one file, a line of JSON each, and after them a head that the
nexus key signs. Nothing is written of a log that is damaged. Kept where whoever can write
the log cannot, the file finds a log that was cut or written anew: nexus audit verify --head
FILE.`,
		Args: wantArgs(0, 0),
		RunE: func(*cobra.Command, []string) error { return a.exportAudit(dir, keys, out) },
	}
	addDir(cmd, &dir)
	cmd.Flags().StringVar(&keys, "keys", "", "directory of keys that has the nexus key")
	cmd.Flags().StringVarP(&out, "out", "o", "", "the file to write")
	mustHave(cmd, "out", "keys")
	return cmd
}

func (a *app) exportAudit(flag, keys, out string) error {
	dir, err := a.auditDir(flag)
	if err != nil {
		return err
	}
	key, err := nexusKey(keys)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+".*")
	if err != nil {
		return err
	}
	report, err := audit.Export(dir, f, key)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), out)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if a.flags.json {
		return printJSON(a.Out, map[string]any{"path": out, "first": report.First, "last": report.Last, "head": report.Head})
	}
	fmt.Fprintln(a.Out, out)
	a.say("hint: keep it where whoever can write the log cannot; nexus audit verify --head %s holds the log against it", safe(out))
	return a.sayPending(dir)
}
