package rig

import (
	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/runtime"
)

// Reactor is a program that is a reactor as a skill.
func Reactor(name string, program []byte) Skill {
	s := hive.Skill{Digest: runtime.Digest(program), Size: int64(len(program))}
	s.Name, s.Version, s.Contract = name, "1.0.0", hive.ContractReactor
	return Skill{s, program}
}
