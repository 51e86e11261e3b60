package cli

import (
	"context"
	"errors"

	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/nexus"
	"github.com/hive-spore/hive/nexus/ota"
	"github.com/hive-spore/hive/nexus/trail"
)

// master is a nexus and the audit log it writes, if one is configured.
type master struct {
	*nexus.Nexus
	log *trail.Trail
}

// Stop ends the nexus, and then the log, which has heard all of it.
func (m master) Stop(ctx context.Context) error {
	return errors.Join(m.Nexus.Stop(ctx), m.log.Stop())
}

// startMaster starts a nexus that keeps a repository, if keep says one.
func (a *app) startMaster(ctx context.Context, road *broker.Broker, keep *ota.KeeperOptions) (m master, err error) {
	if dir := a.cfg.Audit.Dir; dir != "" {
		o := trail.Options{Dir: dir, Road: road, Name: a.cfg.Nexus.Name, Log: a.logger()}
		if keep != nil {
			o.Sign = keep.Ring
		}
		if m.log, err = trail.Open(o); err != nil {
			return m, err
		}
	}
	if keep != nil {
		keep.Audit = m.log.Append
	}
	m.Nexus, err = nexus.New(nexus.Options{Road: road, Log: a.logger(), Name: a.cfg.Nexus.Name, Audit: m.log, Bundles: keep})
	if err == nil {
		err = m.Nexus.Start(ctx)
	}
	if err != nil {
		return m, errors.Join(err, m.log.Stop())
	}
	m.log.Start()
	return m, nil
}
