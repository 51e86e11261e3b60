package testkit

import (
	"strconv"
	"strings"
	"testing"
)

// Cost measures what a server does from now on. What it returns reports, for each of n
// tasks, the server's processor time, the commands it ran, those of scripts included, and
// the requests it read, of which those that travel together in a pipeline count as one.
func Cost(b *testing.B, addr string) (report func(n int)) {
	b.Helper()
	c, err := Connect(addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	before := spent(b, c)
	return func(n int) {
		b.Helper()
		after, tasks := spent(b, c), float64(n)
		const asked = 1 // by the reading itself
		b.ReportMetric(1e6*(after.cpu-before.cpu)/tasks, "redis-µs/task")
		b.ReportMetric((after.commands-before.commands-asked)/tasks, "cmds/task")
		b.ReportMetric((after.requests-before.requests-asked)/tasks, "requests/task")
	}
}

// spending is what a server has done since it began.
type spending struct{ cpu, commands, requests float64 } // seconds and counts

func spent(b *testing.B, c *Conn) (s spending) {
	b.Helper()
	info, err := c.Do("INFO", "cpu", "stats")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		n, _ := strconv.ParseFloat(value, 64) // what is no number is none of these
		switch name {
		case "used_cpu_user", "used_cpu_sys":
			s.cpu += n
		case "total_commands_processed":
			s.commands = n
		case "total_reads_processed":
			s.requests = n
		}
	}
	return s
}
