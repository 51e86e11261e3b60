package broker

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"
)

// Meter is what the server that holds the road's keys has done since it began, whoever
// asked for it. The difference of two says what it did between them.
type Meter struct {
	Run      string        // of the server: another one counts from zero
	CPU      time.Duration // processor time of all its threads; 0: it does not tell
	Main     time.Duration // of it, the thread that carries out commands; 0: it does not tell
	Commands int64         // carried out, those of scripts included
	Requests int64         // read from its clients; a pipeline is one
	Untold   string        // why nothing of it is known
}

// Meter asks the server by INFO.
func (b *Broker) Meter(ctx context.Context) (*Meter, error) {
	node, err := b.home(ctx)
	if err != nil {
		return nil, b.wrap("find the server", err)
	}
	text, err := node.Info(ctx).Result()
	h := Health{User: cmp.Or(b.opts.Username, "default"), Untold: map[string]string{}}
	if told, err := h.asked("info", err); !told {
		return &Meter{Untold: h.Untold["info"]}, b.wrap("look at the server", err)
	}
	info := readInfo(text)
	count := func(field string) int64 {
		n, _ := strconv.ParseInt(info[field], 10, 64)
		return n
	}
	spent := func(suffix string) time.Duration {
		user, _ := strconv.ParseFloat(info["used_cpu_user"+suffix], 64)
		system, _ := strconv.ParseFloat(info["used_cpu_sys"+suffix], 64)
		return time.Duration((user + system) * float64(time.Second))
	}
	m := &Meter{Run: info["run_id"], CPU: spent(""), Main: spent("_main_thread"),
		Commands: count("total_commands_processed"), Requests: count("total_reads_processed")}
	if m.CPU == 0 {
		m.Untold = "the server does not say"
	}
	return m, nil
}

// readInfo reads what INFO answers.
func readInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[key] = value
		}
	}
	return info
}

// Ping says how long one way to the server that holds the road's keys and back takes.
func (b *Broker) Ping(ctx context.Context) (time.Duration, error) {
	node, err := b.home(ctx)
	if err != nil {
		return 0, b.wrap("find the server", err)
	}
	began := time.Now()
	err = node.Ping(ctx).Err()
	return time.Since(began), b.wrap("ping", err)
}
