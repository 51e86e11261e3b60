// Command walk lists all that is below a directory, a line each in any order:
// "PATH/" for a directory, "PATH -> TARGET" for a link, "PATH: TEXT" for a file.
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

func main() {
	err := filepath.WalkDir(os.Args[1], func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			fmt.Printf("%s/\n", path)
		case entry.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			fmt.Printf("%s -> %s\n", path, target)
		default:
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Printf("%s: %s\n", path, text)
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
