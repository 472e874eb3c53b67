// libFuzzer is linked by scripts/fuzz; this file makes the folder a target.
