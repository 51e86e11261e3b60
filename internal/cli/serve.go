package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/config"
	"github.com/hive-spore/hive/internal/publisher"
	"github.com/hive-spore/hive/nexus/ota"
)

// serveFlags say which repository a nexus keeps.
type serveFlags struct {
	repoFlags
	listen string
}

func (a *app) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the master",
		Long: `Run the master: it routes tasks to spores and watches over them. Several may run
on one road: one leads, the others wait to take over.

With a repository it signs what was published there and decided, with the keys of
snapshot, timestamp and nexus, and has spores fetch it; all nexus of a road keep the same
folder. With --listen it answers GET /repo/ with the repository.`,
		Example: "  nexus serve --repo repo --keys keys --listen 127.0.0.1:7070",
		Args:    wantArgs(0, 0),
		RunE:    a.onRoad(func(ctx context.Context, road *broker.Broker) error { return a.serve(ctx, road, f) }),
	}
	cmd.Flags().StringVar(&f.repo, "repo", "", "folder of the repository to keep (default: ota.repo)")
	cmd.Flags().StringVar(&f.keys, "keys", "", "directory of the keys to sign with (default: ota.keys)")
	cmd.Flags().StringVar(&f.listen, "listen", "", "HOST:PORT at which to answer GET /repo/ (default: ota.listen, else nowhere)")
	return cmd
}

func (a *app) serve(ctx context.Context, road *broker.Broker, f serveFlags) error {
	a.signals.patient.Store(true)
	collectLess()
	f.repo, f.keys, f.listen = cmp.Or(f.repo, a.cfg.OTA.Repo), cmp.Or(f.keys, a.cfg.OTA.Keys), cmp.Or(f.listen, a.cfg.OTA.Listen)
	log := a.logger()
	var keep *ota.KeeperOptions
	if f.repo == "" {
		log.Warn("keeping no repository: spores get no skills from this nexus", "hint", "--repo and --keys, or ota.repo and ota.keys")
	} else {
		var err error
		if keep, err = a.keeper(&f); err != nil {
			return err
		}
	}
	closeRepo, err := serveRepository(log, f.listen, f.repo)
	if err != nil {
		return err
	}
	defer closeRepo()
	n, err := a.startMaster(ctx, road, keep)
	if err != nil {
		return err
	}
	log.Info("serving", "nexus", n.ID(), "road", a.where())
	return a.untilSignal(ctx, road, 0, n)
}

// keeper opens the repository and the online keys.
func (a *app) keeper(f *serveFlags) (*ota.KeeperOptions, error) {
	if f.keys == "" {
		return nil, usagef("--keys is missing: a nexus signs for its repository with the keys of snapshot, timestamp and nexus")
	}
	p, err := f.publisher()
	if err != nil {
		return nil, err
	}
	return publisher.Keeper(p, f.keys)
}

// serveRepository answers GET /repo/ at an address, if there is one, until closeAll is
// called.
func serveRepository(log *slog.Logger, addr, dir string) (closeAll func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	if dir == "" {
		return nil, usagef("--listen %s: there is no repository to show; name one with --repo", addr)
	}
	if err := config.CheckListen(addr); err != nil {
		return nil, usageError{fmt.Errorf("--listen: %w", err)}
	}
	repo, err := ota.NewServer(dir)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(ota.Prefix, repo)
	stop, err := serveHTTP(log, addr, mux, "repository", ota.Prefix)
	if err != nil {
		return nil, errors.Join(err, repo.Close())
	}
	return func() {
		stop()
		_ = repo.Close()
	}, nil
}

// serveHTTP answers at an address until stop is called. what and path are for the log.
func serveHTTP(log *slog.Logger, addr string, h http.Handler, what, path string) (stop func(), err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	server := &http.Server{
		Handler: h, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) }) // ends with Close
	log.Info(what, "url", "http://"+l.Addr().String()+path)
	return func() {
		_ = server.Close()
		serving.Wait()
	}, nil
}
