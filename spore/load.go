package spore

import (
	"math"
	"os"
	goruntime "runtime"
	"strconv"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/mem"

	"github.com/hive-spore/hive"
)

// load returns the shares of the machine's cores and memory in use, 0..1. The
// first is over the time since it was asked last. What cannot be read counts as
// idle: the number of tasks decides then.
func load() (cpuShare, memShare float64) {
	if percent, err := cpu.Percent(0, false); err == nil && len(percent) == 1 {
		cpuShare = share(percent[0])
	}
	if memory, err := mem.VirtualMemory(); err == nil {
		memShare = share(memory.UsedPercent)
	}
	return cpuShare, memShare
}

func share(percent float64) float64 {
	if math.IsNaN(percent) {
		return 0
	}
	return min(1, max(0, percent/100))
}

// detectTags says what the machine offers: os, arch, cores, mem_gb, and gpu
// where there is one.
func detectTags() hive.Tags {
	tags := hive.Tags{
		"os":    goruntime.GOOS,
		"arch":  goruntime.GOARCH,
		"cores": strconv.Itoa(goruntime.NumCPU()),
	}
	if memory, err := mem.VirtualMemory(); err == nil {
		tags["mem_gb"] = strconv.FormatUint(memory.Total>>30, 10)
	}
	if hasGPU() {
		tags["gpu"] = "true"
	}
	return tags
}

// hasGPU looks for the device files of NVIDIA's and AMD's compute drivers.
func hasGPU() bool {
	for _, path := range []string{"/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd"} {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}
