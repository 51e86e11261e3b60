package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/testkit"
)

// newClusterAt is a hive on servers that are there.
func newClusterAt(t *testing.T, o broker.Options) *cluster {
	t.Helper()
	makeSkills(t)
	c := &cluster{T: t, road: testkit.DialTo(t, o)}
	c.at = fmt.Sprintf("redis = { addrs = [\"%s\"], sentinel_master = %q }\n", strings.Join(o.Addrs, `", "`), o.Master)
	c.publish()
	return c
}

// TestFailover: under load the master is killed. The hive goes on with the one that was
// its replica, where all is that the master had taken, and the old master comes back as
// the replica.
func TestFailover(t *testing.T) {
	t.Parallel()
	servers := testkit.StartFailover(t)
	c := newClusterAt(t, servers.Road)
	tally, url := c.tallyServer()
	programs := []*process{c.nexus("n1"), c.nexus("n2"), c.tallySpore(1), c.tallySpore(2)}

	ids := c.submitTallies(tally, url, 400)
	await(t, "some tasks over, some not", func() (bool, error) {
		stats, err := c.road.Stats(t.Context())
		return stats.Completed > 100, err
	})
	silence(t, servers)
	servers.Master.Kill()
	killed := time.Now()
	ids = append(ids, c.submitTallies(tally, url, 100)...)
	t.Logf("the road was back for a client after %v", time.Since(killed))
	c.awaitTallied(len(ids))
	c.checkTally(ids)

	if err := servers.Master.Restart(); err != nil {
		t.Fatal(err)
	}
	await(t, "the old master being a replica", func() (bool, error) {
		info, err := servers.Master.Do("INFO", "replication")
		return strings.Contains(info, "role:slave") && strings.Contains(info, "master_link_status:up"), err
	})
	more := c.submitTallies(tally, url, 10)
	c.awaitTallied(len(ids) + len(more))
	c.awaitIdle(hive.Stats{Completed: int64(2 * (len(ids) + len(more)))})
	c.noEpochTwice(programs[:2])
	for _, p := range programs {
		p.toldOfTheRoad(2) // while it was silent, and when it was gone
	}
}

// tallyServer registers the skill that counts, and returns a server for it.
func (c *cluster) tallyServer() (tally hive.SkillRef, url string) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	c.Cleanup(server.Close)
	return c.publishTally(strings.TrimPrefix(server.URL, "http://")), server.URL
}

// submitTallies submits tasks as somebody does who does not give up.
func (c *cluster) submitTallies(tally hive.SkillRef, url string, n int) (ids []string) {
	c.Helper()
	tasks := make([]hive.Task, n)
	for i := range tasks {
		tasks[i] = hive.Task{ID: hive.NewID(), Skill: tally, Payload: []byte(url), Retries: 100}
	}
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	await(c.T, "the road", func() (ok bool, err error) {
		ids, err = submitter.SubmitMany(c.Context(), tasks)
		return err == nil, err
	})
	return ids
}

// awaitTallied waits until so many tasks and their children are completed.
func (c *cluster) awaitTallied(n int) {
	c.Helper()
	await(c.T, "all tasks being over", func() (bool, error) {
		stats, err := c.road.Stats(c.Context())
		if err == nil && stats.Completed != int64(2*n) {
			err = fmt.Errorf("%+v, want %d completed", stats, 2*n)
		}
		return err == nil, err
	})
}

// silence has a master take no more, and waits until its replica has all that it took:
// so nothing is lost with it that anybody was told is there.
func silence(t *testing.T, f *testkit.Failover) {
	t.Helper()
	if _, err := f.Master.Do("CLIENT", "PAUSE", "60000", "WRITE"); err != nil {
		t.Fatal(err)
	}
	caught := regexp.MustCompile(`slave0:.*state=online,offset=(\d+),`)
	at := regexp.MustCompile(`master_repl_offset:(\d+)`)
	await(t, "the replica having all of it", func() (bool, error) {
		info, err := f.Master.Do("INFO", "replication")
		has, all := caught.FindStringSubmatch(info), at.FindStringSubmatch(info)
		return len(has) == 2 && len(all) == 2 && has[1] == all[1], err
	})
}

// noEpochTwice checks that each term of these nexus has a number of its own.
func (c *cluster) noEpochTwice(nexus []*process) {
	c.Helper()
	var epochs []int
	for _, p := range nexus {
		for _, term := range regexp.MustCompile(`msg=leading nexus=\S+ epoch=(\d+)`).FindAllStringSubmatch(p.out.String(), -1) {
			epoch, _ := strconv.Atoi(term[1])
			epochs = append(epochs, epoch)
		}
	}
	slices.Sort(epochs)
	if len(epochs) < 2 || len(slices.Compact(slices.Clone(epochs))) != len(epochs) {
		c.Errorf("the epochs are %v, want several, and none twice", epochs)
	}
}

// toldOfTheRoad checks that a program said that the road was lost and that it was back,
// so often at most, and little else.
func (p *process) toldOfTheRoad(times int) {
	p.t.Helper()
	const lost, back = `msg="the road is lost: trying until it is back"`, `msg="the road is back"`
	await(p.t, p.name+" finding the road", func() (bool, error) {
		said := p.out.String()
		return strings.LastIndex(said, back) >= strings.LastIndex(said, lost), nil
	})
	said := p.out.String()
	if n := strings.Count(said, back); n == 0 || n > times {
		p.t.Errorf("%s says %d times that the road is back, want 1 to %d", p.name, n, times)
	}
	if n := strings.Count(said, "level=WARN"); n > 3*times+3 { // also why it is lost, and the lead with it
		p.t.Errorf("%s complains %d times", p.name, n)
	}
}
