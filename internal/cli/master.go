package cli

import (
	"context"
	"errors"

	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/nexus"
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

func (a *app) startMaster(ctx context.Context, road *broker.Broker) (m master, err error) {
	if dir := a.cfg.Audit.Dir; dir != "" {
		m.log, err = trail.Open(trail.Options{Dir: dir, Road: road, Name: a.cfg.Nexus.Name, Log: a.logger()})
		if err != nil {
			return m, err
		}
	}
	m.Nexus, err = nexus.New(nexus.Options{Road: road, Log: a.logger(), Name: a.cfg.Nexus.Name, Audit: m.log})
	if err == nil {
		err = m.Nexus.Start(ctx)
	}
	if err != nil {
		return m, errors.Join(err, m.log.Stop())
	}
	m.log.Start()
	return m, nil
}
