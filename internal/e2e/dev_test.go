package e2e

import (
	"os"
	"regexp"
	"testing"
)

func TestDevIsAWholeHive(t *testing.T) {
	t.Parallel()
	makeSkills(t)
	dev := start(t, "", "nexus", "dev", "--slots", "2", skills.cat)
	address := regexp.MustCompile(`a hive is running in memory at (redis://\S+): nothing is kept`)
	await(t, "its address", func() (bool, error) { return address.MatchString(dev.out.String()), nil })
	url := address.FindStringSubmatch(dev.out.String())[1]
	submit := start(t, "", "nexus", "submit", "cat", "--payload", "hello", "--wait", "--redis", url)
	submit.ends(0)
	if said := submit.out.String(); said != "hello" {
		t.Errorf("submit prints %q", said)
	}
	dev.signal(os.Interrupt)
	dev.ends(0)
}
