// Lets torchwood, an implementation of C2SP's transparency logs that is not ours, judge one.
//
// Usage:
//
//	torchwood proof KEY PROOF    VerifyProof takes the .tlog-proof of the record that stands in it
//	torchwood log KEY URL        its client reads every entry of the log as it is served
//
// KEY and PROOF are files. Ends with 0 where it holds, and with 1 and a sentence where it does not.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// readPolicy asks for the log's own signature and origin, and for no witness.
func readPolicy(file string) (torchwood.Policy, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, err := note.NewVerifier(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, err
	}
	return torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(key.Name()),
		torchwood.SingleVerifierPolicy(key)), nil
}

// recordHash is the leaf of the record and the salt that stand beside a proof: an entry's data in
// the log is SHA-256(salt, record).
func recordHash(proof []byte) (tlog.Hash, error) {
	extra, err := torchwood.ProofExtraData(proof)
	if err != nil {
		return tlog.Hash{}, err
	}
	var content struct {
		Record string `json:"record"`
		Salt   []byte `json:"salt"`
	}
	if err := json.Unmarshal(extra, &content); err != nil {
		return tlog.Hash{}, err
	}
	commitment := sha256.Sum256(append(content.Salt, content.Record...))
	return tlog.RecordHash(commitment[:]), nil
}

func checkProof(policy torchwood.Policy, file string) error {
	proof, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	hash, err := recordHash(proof)
	if err != nil {
		return err
	}
	return torchwood.VerifyProof(policy, hash, proof)
}

func checkLog(policy torchwood.Policy, url string) error {
	fetcher, err := torchwood.NewTileFetcher(url)
	if err != nil {
		return err
	}
	client, err := torchwood.NewClient(fetcher, torchwood.WithTimeout(time.Minute))
	if err != nil {
		return err
	}
	ctx := context.Background()
	signed, err := fetcher.ReadEndpoint(ctx, "checkpoint")
	if err != nil {
		return err
	}
	checkpoint, _, err := torchwood.VerifyCheckpoint(signed, policy)
	if err != nil {
		return err
	}
	entries := int64(0)
	for range client.AllEntries(ctx, checkpoint.Tree, 0) {
		entries++
	}
	if client.Err() == nil && entries != checkpoint.N {
		return fmt.Errorf("%d entries of a log of %d", entries, checkpoint.N)
	}
	return client.Err()
}

func run(arguments []string) error {
	if len(arguments) != 3 {
		return errors.New("usage: torchwood proof|log KEY WHAT")
	}
	policy, err := readPolicy(arguments[1])
	if err != nil {
		return err
	}
	switch arguments[0] {
	case "proof":
		return checkProof(policy, arguments[2])
	case "log":
		return checkLog(policy, arguments[2])
	}
	return fmt.Errorf("torchwood does not know %q", arguments[0])
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
