package report

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/host"
	"github.com/shirou/gopsutil/v3/load"
	"github.com/shirou/gopsutil/v3/mem"
)

// Machine is where a benchmark ran. What cannot be found out is empty.
type Machine struct {
	Cores    int     `json:"cores"`
	Model    string  `json:"model"`
	MemoryGB float64 `json:"memory_gb"`
	Kernel   string  `json:"kernel"`
	Go       string  `json:"go"`
	Redis    string  `json:"redis,omitempty"`
	Load     float64 `json:"load_before"` // load average of the last minute
}

// ThisMachine describes the machine; Redis, if it takes part, is left to the caller.
func ThisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), Go: runtime.Version(), Kernel: runtime.GOOS}
	if info, err := cpu.Info(); err == nil && len(info) > 0 {
		m.Model = strings.Join(strings.Fields(info[0].ModelName), " ")
	}
	if memory, err := mem.VirtualMemory(); err == nil {
		m.MemoryGB = float64(memory.Total) / (1 << 30)
	}
	if version, err := host.KernelVersion(); err == nil {
		m.Kernel += " " + version
	}
	if average, err := load.Avg(); err == nil {
		m.Load = average.Load1
	}
	return m
}

func (m Machine) String() string {
	cores := "1 core"
	if m.Cores != 1 {
		cores = fmt.Sprintf("%d cores", m.Cores)
	}
	redis := ""
	if m.Redis != "" {
		redis = ", Redis " + m.Redis
	}
	return fmt.Sprintf("%s %s, %.0f GB, %s, %s%s, load before %.1f",
		cores, m.Model, m.MemoryGB, m.Kernel, m.Go, redis, m.Load)
}
