// Checklog checks a consent log, and receipts of it, by what Go's checksum database is
// made of: golang.org/x/mod/sumdb/note and tlog. It shares no code with the program
// that wrote them.
//
//	checklog -log VKEY -collector VKEY [-since CHECKPOINT] [-request REQUEST]
//		[-receipt RECEIPT] LOG-FOLDER
//
// -collector, -since, -request and -receipt may be repeated. It prints a line for each
// check. Status 0: all hold; 1: one does not; 2: wrong use.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	var collectors, since, requests, receipts list
	key := flag.String("log", "", "verifier `key` of the log")
	flag.Var(&collectors, "collector", "verifier `key` that may sign entries")
	flag.Var(&since, "since", "`file` of a checkpoint that was kept")
	flag.Var(&requests, "request", "`file` of what was sent to a witness")
	flag.Var(&receipts, "receipt", "`file` of a receipt (.tlog-proof)")
	flag.Parse()
	l, err := newLog(*key, collectors, flag.Arg(0))
	if err == nil && flag.NArg() != 1 {
		err = errors.New("expected one folder, after the options")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		flag.Usage()
		os.Exit(2)
	}
	kept, _ := filepath.Glob(filepath.Join(l.folder, "checkpoints", "*"))
	if !l.check(append(since, kept...), requests, receipts) {
		os.Exit(1)
	}
}

// A list is a flag that may be repeated.
type list []string

func (l *list) String() string         { return strings.Join(*l, " ") }
func (l *list) Set(value string) error { *l = append(*l, value); return nil }

// check runs every check, unless there is no tree to hold the others against.
func (l *log) check(since, requests, receipts []string) bool {
	holds := said("checkpoint", l.checkCheckpoint)
	if !holds {
		return false
	}
	holds = said("entries", l.checkEntries) && holds
	holds = said("tree", l.checkTree) && holds
	holds = said("tiles", l.checkTiles) && holds
	files := []struct {
		kind  string
		names []string
		check func(data []byte) (string, error)
	}{
		{"since", since, l.checkSince},
		{"request", requests, l.checkRequest},
		{"receipt", receipts, l.checkReceipt},
	}
	for _, each := range files {
		for _, name := range each.names {
			label := each.kind + " " + filepath.Base(name)
			holds = said(label, func() (string, error) {
				data, err := os.ReadFile(name)
				if err != nil {
					return "", err
				}
				return each.check(data)
			}) && holds
		}
	}
	return holds
}

// said runs one check, and prints its line.
func said(label string, check func() (string, error)) bool {
	found, err := check()
	if err != nil {
		fmt.Printf("FAIL %s: %v\n", label, err)
		return false
	}
	fmt.Printf("ok   %s: %s\n", label, found)
	return true
}
