package main

import (
	"errors"
	"runtime"
	"sync"
	"time"
)

// most is how many tasks of an order are looked at in the end.
const most = 1000

// kept are some of the tasks that were enqueued, spread over all of them.
type kept[ID any] struct {
	mu       sync.Mutex
	n        int
	ids      []ID
	payloads [][]byte
}

// keep is told of every task, of which there are so many.
func (k *kept[ID]) keep(of int, id ID, payload []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.n++; k.n%max(1, of/most) == 0 {
		k.ids, k.payloads = append(k.ids, id), append(k.payloads, payload)
	}
}

// each calls f for those that were kept.
func (k *kept[ID]) each(f func(id ID, payload []byte) error) error {
	if len(k.ids) == 0 {
		return errors.New("there is nothing to look at")
	}
	for i, id := range k.ids {
		if err := f(id, k.payloads[i]); err != nil {
			return err
		}
	}
	return nil
}

func now() int64 { return time.Now().UnixMicro() }

// rssUnit is that of Rusage.Maxrss, in bytes.
var rssUnit = map[bool]float64{true: 1, false: 1024}[runtime.GOOS == "darwin"]
