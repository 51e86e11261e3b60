package ota

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/report"
	"github.com/hive-spore/hive/bench/rig"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/internal/publisher"
	"github.com/hive-spore/hive/nexus/ota"
)

const (
	refreshTable = "Refresh: a client verifies what a repository lists, and the manifest of its one new bundle. Medians."
	newsColumn   = "new bundle ms"
	sameColumn   = "nothing new ms"
	coldColumn   = "first ms"
	allColumn    = "first, all manifests ms"
)

// shop is a repository of many bundles, served and in its folder.
type shop struct {
	pub    *publisher.Publisher
	keep   *ota.KeeperOptions
	web    *http.Server
	files  *ota.Server
	url    string
	skill  rig.Skill
	listed int // bundles so far that came one by one
}

// open makes a repository, its bundles all of one program.
func open(dir string, skill rig.Skill, bundles int) (s *shop, err error) {
	s = &shop{skill: skill}
	if s.pub, s.keep, err = publisher.Make(dir); err != nil {
		return nil, err
	}
	if _, err := s.pub.Repository.AddBlob(skill.Program); err != nil {
		return nil, err
	}
	many := map[string][]byte{}
	for i := range bundles - 1 {
		if err := s.manifest(many, "crow", i); err != nil {
			return nil, err
		}
	}
	if _, err := s.pub.Repository.Publish(s.pub.Targets, many); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if s.files, err = ota.NewServer(s.pub.Dir); err != nil {
		return nil, err
	}
	s.url, s.web = "http://"+l.Addr().String()+ota.Prefix, &http.Server{Handler: s.files}
	go func() { _ = s.web.Serve(l) }() // ends with close
	return s, s.news()
}

func (s *shop) close() {
	_ = s.web.Close()
	_ = s.files.Close()
}

func (s *shop) manifest(to map[string][]byte, name string, n int) error {
	skill := s.skill.Skill
	skill.Name, skill.Version = name, version(n)
	b := &bundle.Bundle{Name: name, Version: skill.Version, Created: time.Now(), Skills: []hive.Skill{skill}}
	data, err := b.Encode()
	to[bundle.Listed{Name: name, Version: b.Version}.TargetName()] = data
	return err
}

func version(n int) string { return fmt.Sprintf("1.%d.0", n) }

// news lists one more bundle, in the place of the last one that came so.
func (s *shop) news() error {
	s.listed++
	next := map[string][]byte{}
	if err := s.manifest(next, "crab", s.listed); err != nil {
		return err
	}
	if _, err := s.pub.Repository.Publish(s.pub.Targets, next); err != nil {
		return err
	}
	if s.listed > 1 {
		if _, err := s.pub.Repository.Remove(s.pub.Targets, bundle.Listed{Name: "crab", Version: version(s.listed - 1)}.TargetName()); err != nil {
			return err
		}
	}
	return s.pub.Repository.Seal(s.keep.Snapshot, s.keep.Timestamp)
}

// client is one that knows nothing yet.
func (s *shop) client(web bool, state string) (*bundle.Client, error) {
	o := bundle.ClientOptions{Repository: s.pub.Dir, Root: s.pub.Root, State: state}
	if web {
		o.Repository = s.url
	}
	return bundle.NewClient(o)
}

// learn refreshes and reads the newest bundle's manifest.
func (s *shop) learn(ctx context.Context, c *bundle.Client, changed bool) error {
	news, err := c.Refresh(ctx)
	if err == nil && news != changed {
		err = fmt.Errorf("refresh: changed is %v", news)
	}
	if err == nil {
		_, err = c.Bundle(ctx, "crab", version(s.listed))
	}
	return err
}

func refreshRow(bundles int, web bool) string {
	where := "folder"
	if web {
		where = "HTTP"
	}
	return fmt.Sprintf("%d bundles, %s", bundles, where)
}

func (s *suite) refresh(bundles int, web bool) stage {
	row := refreshRow(bundles, web)
	return stage{"refresh: " + row, func(ctx context.Context) (err error) {
		sh := s.shops[bundles]
		if sh == nil {
			if sh, err = open(filepath.Join(s.dir, fmt.Sprint("shop-", bundles)), s.kit.Skill(rig.Noop), bundles); err != nil {
				return err
			}
			s.shops[bundles] = sh
		}
		figures, err := sh.refreshes(ctx, web, s.size.Refreshes)
		s.report.Add(refreshTable, row, figures...)
		return err
	}}
}

func (s *shop) refreshes(ctx context.Context, web bool, n int) (figures []report.Figure, err error) {
	state, err := os.MkdirTemp(filepath.Dir(s.pub.Dir), "state-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(state)
	old, err := s.client(web, filepath.Join(state, "old"))
	if err != nil {
		return nil, err
	}
	defer old.Close()
	if err := s.learn(ctx, old, true); err != nil {
		return nil, err
	}
	took := map[string][]time.Duration{}
	for i := range n {
		if err := s.news(); err != nil {
			return nil, err
		}
		if err := s.once(ctx, web, old, filepath.Join(state, fmt.Sprint(i)), i == 0, took); err != nil {
			return nil, err
		}
	}
	for _, column := range []string{newsColumn, sameColumn, coldColumn, allColumn} {
		figures = append(figures, report.Figure{Column: column, Value: ms(report.Quantile(took[column], 0.5))})
	}
	return figures, nil
}

// once takes each time once, with a client that was there before and one that is new.
func (s *shop) once(ctx context.Context, web bool, old *bundle.Client, state string, all bool, took map[string][]time.Duration) error {
	since := func(column string, begun time.Time) { took[column] = append(took[column], time.Since(begun)) }
	begun := time.Now()
	if err := s.learn(ctx, old, true); err != nil {
		return err
	}
	since(newsColumn, begun)
	begun = time.Now()
	if err := s.learn(ctx, old, false); err != nil {
		return err
	}
	since(sameColumn, begun)
	begun = time.Now()
	c, err := s.client(web, state)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := s.learn(ctx, c, true); err != nil {
		return err
	}
	since(coldColumn, begun)
	if !all {
		return nil
	}
	list, err := c.Bundles()
	for i := 0; i < len(list) && err == nil; i++ {
		_, err = c.Bundle(ctx, list[i].Name, list[i].Version)
	}
	since(allColumn, begun)
	return err
}
