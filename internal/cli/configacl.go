package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print the configuration in force, without secrets",
		Args:  wantArgs(0, 0),
		RunE: func(*cobra.Command, []string) error {
			if err := a.configure(); err != nil {
				return err
			}
			if a.flags.json {
				return printJSON(a.Out, a.cfg.Tree())
			}
			return a.cfg.WriteTOML(a.Out)
		},
	}
	cmd.AddCommand(a.configACLCommand())
	return cmd
}

// aclFlags say which users to make, and where to.
type aclFlags struct {
	spores, rotate, retire []string
	shard, out             string
	show                   bool
}

func (a *app) configACLCommand() *cobra.Command {
	var f aclFlags
	cmd := &cobra.Command{
		Use:   "acl",
		Short: "Make Redis users for nexus, clients and every spore, that may do no more than they need",
		Long: `Make a file of Redis users, each with the rights that it needs and no more: nexus,
client, dashboard (looks on), one user for each spore, by the spore's name, and admin,
for you. Nobody else may connect. Redis reads it by "aclfile DIR/users.acl" in its
redis.conf, or ACL LOAD when it has changed.

DIR/NAME.password is the password of one user, for redis.password_file beside
redis.username. What is in DIR stays as it is when the command runs again: spores that
are named then join the others; to take one out, remove its NAME.password and run it
again.

To change a password without a pause: --rotate NAME makes a new one, and the one before
it (NAME.previous) stays good as well; load the file, give the user the new password,
then --retire NAME ends the old one; load the file again.`,
		Example: "  nexus config acl --out acl --spore spore-1 --spore spore-2",
		Args:    wantArgs(0, 0),
		RunE:    func(*cobra.Command, []string) error { return a.configACL(f) },
	}
	cmd.Flags().StringArrayVar(&f.spores, "spore", nil, "name of a spore (repeatable)")
	cmd.Flags().StringVar(&f.shard, "shard", "h", "shard whose keys they may use")
	cmd.Flags().StringVar(&f.out, "out", "", "folder of users.acl and of the passwords, which only you may read")
	cmd.Flags().StringArrayVar(&f.rotate, "rotate", nil, "user who gets a new password, beside the old one (repeatable)")
	cmd.Flags().StringArrayVar(&f.retire, "retire", nil, "user whose old password ends (repeatable)")
	cmd.Flags().BoolVar(&f.show, "show", false, "print the file, with new passwords in the clear, and write nothing")
	return cmd
}

// check reports what cannot be made, all at once.
func (f aclFlags) check() error {
	var wrong []string
	for _, name := range f.spores {
		if err := hive.CheckNodeID(name); err != nil {
			wrong = append(wrong, fmt.Sprintf("--spore: %v", err))
		} else if name == "default" || slices.Contains(fixedRoles, broker.Role(name)) {
			wrong = append(wrong, fmt.Sprintf("--spore %q: this user is another one's already; name the spore otherwise", name))
		}
	}
	if f.shard == "" || strings.ContainsFunc(f.shard, unfit) || strings.ContainsAny(f.shard, "{}") {
		wrong = append(wrong, fmt.Sprintf("--shard %q: want a word without spaces and braces", f.shard))
	}
	if f.show == (f.out != "") {
		wrong = append(wrong, "want --out DIR, for files that only you may read, or --show, to print the passwords")
	}
	if f.show && len(f.rotate)+len(f.retire) > 0 {
		wrong = append(wrong, "--rotate and --retire change passwords that stand in files: want --out DIR with them")
	}
	if len(wrong) > 0 {
		return usagef("%s", strings.Join(wrong, "\n"))
	}
	return nil
}

// unfit are what would end a word of an ACL file, or its line.
func unfit(r rune) bool { return r <= ' ' || r == 0x7f }

// fixedRoles are those that have one user, by the same name.
var fixedRoles = []broker.Role{broker.RoleAdmin, broker.RoleNexus, broker.RoleClient, broker.RoleDashboard}

func (a *app) configACL(f aclFlags) error {
	if err := a.configure(); err != nil {
		return err
	}
	road := broker.Options{Shard: f.shard, Channel: a.cfg.Queue.BroadcastChannel}
	if err := f.check(); err != nil {
		return err
	}
	var made *passwords
	users, err := []broker.User(nil), error(nil)
	if f.show {
		users = usersOf(f.spores, func(string) []string { return []string{newPassword()} })
	} else if made, users, err = keepPasswords(f); err != nil {
		return err
	}
	for i := range users {
		users[i].Clear = f.show
	}
	file := broker.ACLFile(road, users)
	if f.show {
		return a.showACL(file)
	}
	if err := made.write(usersFile, file); err != nil {
		return err
	}
	return a.showFiles(made.written)
}

// usersOf are the users of a hive with these spores.
func usersOf(spores []string, passwords func(name string) []string) (users []broker.User) {
	for _, role := range fixedRoles {
		users = append(users, broker.User{Name: string(role), Role: role, Passwords: passwords(string(role))})
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(spores))) {
		users = append(users, broker.User{Name: name, Role: broker.RoleSpore, Passwords: passwords(name)})
	}
	return users
}

func (a *app) showACL(file string) error {
	if a.flags.json {
		return printJSON(a.Out, map[string]string{"acl": file})
	}
	_, err := fmt.Fprint(a.Out, file)
	return err
}

func (a *app) showFiles(written []string) error {
	if a.flags.json {
		return printJSON(a.Out, map[string][]string{"written": written})
	}
	for _, path := range written {
		fmt.Fprintln(a.Out, path)
	}
	a.say("hint: Redis reads users.acl by aclfile in redis.conf, and by ACL LOAD when it has changed")
	return nil
}
