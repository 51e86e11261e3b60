package hive

import (
	"fmt"
	"regexp"
	"time"
)

var nodeID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,23}$`)

// CheckNodeID reports a spore id that is not 1 to 24 letters, digits, '.', '_'
// and '-'. Records keep 24 bytes for it.
func CheckNodeID(id string) error {
	if !nodeID.MatchString(id) {
		return fmt.Errorf("spore id %.60q: want 1 to 24 letters, digits, '.', '_' and '-', beginning with a letter or digit", id)
	}
	return nil
}

// NodeReport is what a spore says of itself with every heartbeat.
type NodeReport struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	CPU      float64   `json:"cpu"`    // share of all cores in use, 0..1
	Memory   float64   `json:"memory"` // share of memory in use, 0..1
	Slots    int       `json:"slots"`  // attempts it runs at once
	Prefetch int       `json:"prefetch"`
	Tags     Tags      `json:"tags"`
	Skills   []SkillID `json:"skills"`
	Draining bool      `json:"draining,omitempty"`
	Started  time.Time `json:"started"`
	Refused  []Refused `json:"refused,omitempty"` // skills that it does not offer although it has their tags
	// Preparing are the skills that it fetched and is about to offer, if they can run.
	Preparing []SkillID `json:"preparing,omitempty"`
	// Bundles are the bundle versions that it runs. More than one of a bundle: the others are pinned.
	Bundles []BundleID `json:"bundles,omitempty"`
}

// BundleID is one exact bundle: a name, a version and its digest.
type BundleID struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Digest  string `json:"digest"` // "sha256:" and 64 hex digits
}

// String returns "name@version".
func (b BundleID) String() string { return b.Name + "@" + b.Version }

// Refused is a skill that a spore does not run, and the grants it asks for that the
// spore does not give.
type Refused struct {
	Skill  SkillID `json:"skill"`
	Grants []Grant `json:"grants"`
}

// SkillID is one exact skill: a name, a version and the digest of its program.
type SkillID struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Digest  string `json:"digest"` // "sha256:" and 64 hex digits
}

// String returns "name@version".
func (s SkillID) String() string { return s.Name + "@" + s.Version }

// Node is a spore as the nexus sees it: its last report, what it holds, and
// whether it still beats.
type Node struct {
	NodeReport
	Active int // tasks it holds: queued for it and running
	Beat   time.Time
	Online bool
}

// Score is the node's load score: lower gets the next task.
func (n *Node) Score() float64 { return LoadScore(n.CPU, n.Memory, n.Active) }

// Busy reports whether every slot is taken: one more task would wait here.
func (n *Node) Busy() bool { return n.Active >= n.Slots }

// Room is how many more tasks the node takes: its slots and a small prefetch,
// less what it holds. An offline or draining node takes none.
func (n *Node) Room() int {
	if !n.Online || n.Draining {
		return 0
	}
	return max(0, n.Slots+n.Prefetch-n.Active)
}

// Has reports whether the node offers a skill that ref names.
func (n *Node) Has(ref SkillRef) bool { return ref.among(n.Skills) }

// Prepares reports whether the node is about to offer a skill that ref names.
func (n *Node) Prepares(ref SkillRef) bool { return ref.among(n.Preparing) }

// among reports whether r names one of some skills.
func (r SkillRef) among(skills []SkillID) bool {
	for _, s := range skills {
		if r.Matches(s.Name, s.Version, s.Digest) {
			return true
		}
	}
	return false
}

// LoadScore is 100 × (0.4·cpu + 0.3·memory + 0.3·active/10), cpu and memory in
// 0..1. It is not capped: with many slots the active term decides.
func LoadScore(cpu, memory float64, active int) float64 {
	return 40*cpu + 30*memory + 3*float64(active)
}

// NodeStatus is one node of a ClusterStatus.
type NodeStatus struct {
	ID        string   `json:"node_id"`
	Name      string   `json:"node_name"`
	CPU       float64  `json:"cpu_usage"`    // 0..1
	Memory    float64  `json:"memory_usage"` // 0..1
	Active    int      `json:"active_tasks"`
	LoadScore float64  `json:"load_score"`
	Online    bool     `json:"is_online"`
	Draining  bool     `json:"is_draining"`
	Tags      Tags     `json:"tags"`
	Slots     int      `json:"slots"`
	Skills    []string `json:"skills"`
	// Bundles that it says it runs: with their digests, so that they can be held against
	// those that a repository lists.
	Bundles []BundleID `json:"bundles"`
}

// ClusterStatus is the state of all spores.
type ClusterStatus struct {
	Total     int          `json:"total_nodes"`
	Online    int          `json:"online_nodes"`
	Offline   int          `json:"offline_nodes"`
	AvgCPU    float64      `json:"avg_cpu_usage"`    // of online nodes, 0..1
	AvgMemory float64      `json:"avg_memory_usage"` // of online nodes, 0..1
	Active    int          `json:"total_active_tasks"`
	Nodes     []NodeStatus `json:"nodes"`
}

// NewClusterStatus sums up nodes, in the order given.
func NewClusterStatus(nodes []Node) ClusterStatus {
	c := ClusterStatus{Total: len(nodes), Nodes: make([]NodeStatus, 0, len(nodes))}
	for i := range nodes {
		n := &nodes[i]
		c.Active += n.Active
		if n.Online {
			c.Online++
			c.AvgCPU += n.CPU
			c.AvgMemory += n.Memory
		}
		c.Nodes = append(c.Nodes, n.status())
	}
	if c.Online > 0 {
		c.AvgCPU /= float64(c.Online)
		c.AvgMemory /= float64(c.Online)
	}
	c.Offline = c.Total - c.Online
	return c
}

func (n *Node) status() NodeStatus {
	skills := make([]string, len(n.Skills))
	for i, s := range n.Skills {
		skills[i] = s.String()
	}
	tags := n.Tags
	if tags == nil {
		tags = Tags{} // {} in JSON, not null
	}
	return NodeStatus{
		ID: n.ID, Name: n.Name, CPU: n.CPU, Memory: n.Memory, Active: n.Active,
		LoadScore: n.Score(), Online: n.Online, Draining: n.Draining,
		Tags: tags, Slots: n.Slots, Skills: skills, Bundles: append([]BundleID{}, n.Bundles...),
	}
}
