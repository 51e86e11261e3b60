package runtime

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// admitNice is how far the child stands back for attempts that want the same core.
const admitNice = 10

// limitSelf bounds the time and the addresses of this process, and lets others go
// first. Go reserves addresses it does not use, with the race detector very many:
// what is there at the beginning does not count.
func limitSelf() {
	_ = unix.Setpriority(unix.PRIO_PGRP, 0, admitNice) // of all its threads: the group is its own
	_ = unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: admitCPU, Max: admitCPU})
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	most := statm("self", 0) + admitAddress
	_ = unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: most, Max: most})
}

// resident returns how many bytes of memory a process holds; 0 if that cannot be
// known.
func resident(pid int) uint64 { return statm(strconv.Itoa(pid), 1) }

// statm reads a field of /proc/PID/statm, in bytes: 0 addresses, 1 resident.
func statm(pid string, field int) uint64 {
	b, err := os.ReadFile("/proc/" + pid + "/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) <= field {
		return 0
	}
	pages, _ := strconv.ParseUint(fields[field], 10, 64)
	return pages * uint64(os.Getpagesize())
}
