package cli

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
)

// listing is what a spore believes that trusts the configured root, and what it is not
// told.
type listing struct {
	from     string // "": no repository is configured
	err      error  // why nothing is believed
	standing *bundle.Standing
	bundles  map[hive.BundleID]bool
	programs map[string]bool // digests of the skills of what spores say they run
	nexus    []ed25519.PublicKey
	set      *bundle.AssignmentSet
	noSet    error // why there is none
}

// readListing verifies the repository as a new spore does.
func (a *app) readListing(ctx context.Context, nodes []hive.Node) (l listing) {
	if l.from = cmp.Or(a.cfg.OTA.URL, a.cfg.OTA.Repo); l.from == "" {
		return l
	}
	l.err = a.follow(ctx, sourceFlags{}, func(c *bundle.Client) error { return l.read(ctx, c, nodes) })
	if l.err != nil && a.cfg.OTA.Repo != "" {
		l.standing = a.standing()
	}
	return l
}

// standing says of a repository in a folder what has expired of it; nil: not even that is
// known.
func (a *app) standing() *bundle.Standing {
	o, err := a.repositoryOf(sourceFlags{})
	if err != nil {
		return nil
	}
	r, err := bundle.OpenRepository(a.cfg.OTA.Repo, o.Root, bundle.RepositoryOptions{})
	if err != nil {
		return nil
	}
	s, err := r.Standing()
	if err != nil {
		return nil
	}
	return s
}

func (l *listing) read(ctx context.Context, c *bundle.Client, nodes []hive.Node) (err error) {
	if l.standing, err = c.Standing(); err != nil {
		return err
	}
	list, err := c.Bundles()
	if err != nil {
		return err
	}
	l.bundles, l.programs = map[hive.BundleID]bool{}, map[string]bool{}
	for _, b := range list {
		l.bundles[hive.BundleID{Name: b.Name, Version: b.Version, Digest: b.Digest}] = true
	}
	if err := l.readPrograms(ctx, c, nodes); err != nil {
		return err
	}
	if l.nexus, err = c.NexusKeys(ctx); err != nil {
		l.noSet = err
		return nil
	}
	data, err := c.File(ctx, bundle.AssignmentsFile, bundle.MaxEnvelope)
	if err == nil {
		l.set, err = bundle.ReadAssignments(data, l.nexus)
	}
	l.noSet = err
	return nil
}

// readPrograms reads the listed ones of the bundles that spores run.
func (l *listing) readPrograms(ctx context.Context, c *bundle.Client, nodes []hive.Node) error {
	seen := map[hive.BundleID]bool{}
	for _, n := range nodes {
		for _, id := range n.Bundles {
			if seen[id] || !l.bundles[id] {
				continue
			}
			seen[id] = true
			b, err := c.Bundle(ctx, id.Name, id.Version)
			if err != nil {
				return err
			}
			for _, s := range b.Skills {
				l.programs[s.Digest] = true
			}
		}
	}
	return nil
}

func repositoryVerifies(_ context.Context, p *patient) finding {
	switch {
	case p.repo.from == "":
		return miss("nexus bundle init makes one; name it in ota.repo or ota.url", "no repository is configured: spores get no skills")
	case p.repo.err != nil:
		return miss(keepIt+"; until it verifies spores take nothing new", "%v", p.repo.err)
	}
	return good("%s of %s verified, from the root on", plural(len(p.repo.bundles), "bundle"), p.repo.from)
}

// elsewhere is the host of ota.url, if that is not this machine.
func (p *patient) elsewhere() (u *url.URL, is bool) {
	u, err := url.Parse(p.cfg.OTA.URL)
	if err != nil || u.Host == "" {
		return u, false
	}
	ip := net.ParseIP(u.Hostname())
	return u, u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

func repositoryAddress(_ context.Context, p *patient) finding {
	u, off := p.elsewhere()
	switch {
	case p.cfg.OTA.URL == "":
		return skip("no ota.url: spores read the folder")
	case off && u.Scheme != "https":
		return miss("serve it by https, such as by a proxy before the nexus, and set ota.url", "%s is not encrypted: others see what spores fetch, and can hold it up", p.cfg.OTA.URL)
	case !off:
		return good("on this machine")
	}
	return good("by https")
}

func repositoryHosts(_ context.Context, p *patient) finding {
	u, off := p.elsewhere()
	switch hosts := p.cfg.OTA.Hosts; {
	case p.cfg.OTA.URL == "":
		return skip("no ota.url: no host is asked")
	case slices.Contains(hosts, hive.AnyHost):
		return miss("name them in ota.hosts", "ota.hosts allows every host")
	case len(hosts) > 0:
		return good("only %s", some(hosts))
	case off || u.Scheme == "https":
		return miss(fmt.Sprintf("ota.hosts = [%q]", u.Host), "ota.hosts names none: whatever host ota.url has is asked")
	}
	return good("only this machine")
}

// unbelieved is that of what the repository does not say in a way that can be believed.
func (p *patient) unbelieved() finding {
	if p.repo.from == "" {
		return skip("there is no repository")
	}
	return skip("the repository does not verify")
}

func rootThreshold(_ context.Context, p *patient) finding {
	if p.repo.standing == nil {
		return p.unbelieved()
	}
	root := p.repo.standing.Root.Roles[bundle.RoleRoot]
	if root.Need < 2 {
		return miss("nexus keys rotate --role root --root 2/3", "1 of %d must sign: who has one root key may change whom spores trust", len(root.Keys))
	}
	return good("%d of %d root keys must sign", root.Need, len(root.Keys))
}

// keepIt is what to do about what a nexus signs time and again.
const keepIt = "run a nexus with ota.repo and ota.keys, and look at its log"

// expiryOf is a check that what a role signed is good for some time yet.
func expiryOf(role string, least time.Duration, do string) func(context.Context, *patient) finding {
	return func(_ context.Context, p *patient) finding {
		if p.repo.standing == nil {
			return p.unbelieved()
		}
		expires, there := p.repo.standing.Expires[role]
		left := expires.Sub(p.now)
		switch {
		case !there:
			return miss(do, "there is no %s that its keys signed", role)
		case left <= 0:
			return miss(do, "expired %s ago", about(-left))
		case left < least:
			return miss(do, "only %s left", about(left))
		}
		return good("%s left", about(left))
	}
}

// maxUnsealed is the age from which on it seems that nobody seals: a nexus does every
// hour.
const maxUnsealed = 2 * time.Hour

func timestampAge(ctx context.Context, p *patient) finding {
	f := expiryOf(bundle.RoleTimestamp, 0, keepIt)(ctx, p)
	if f.Outcome != passed {
		return f
	}
	age := p.now.Add(bundle.TimestampLife).Sub(p.repo.standing.Expires[bundle.RoleTimestamp])
	if age > maxUnsealed {
		return miss(keepIt, "last sealed %s ago: no nexus keeps it fresh", about(age))
	}
	return good("sealed %s ago", about(age))
}

func assignmentsAge(_ context.Context, p *patient) finding {
	set := p.repo.set
	switch {
	case p.repo.from == "" || p.repo.err != nil:
		return p.unbelieved()
	case set == nil:
		return miss(keepIt, "no nexus says what spores are to run: %v", p.repo.noSet)
	case !p.now.Before(set.Expires):
		return miss(keepIt, "expired %s ago: spores change nothing any more", about(p.now.Sub(set.Expires)))
	case p.now.Sub(set.Issued) > maxUnsealed:
		return miss(keepIt, "last signed %s ago: no nexus keeps them fresh", about(p.now.Sub(set.Issued)))
	}
	return good("generation %d, signed %s ago", set.Generation, about(p.now.Sub(set.Issued)))
}
