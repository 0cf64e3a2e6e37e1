//! End-to-end scenarios: text files in `scenarios/`, each a test of its own, played by
//! `vipward-lab` with real processes.
