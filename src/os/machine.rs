//! What this machine allows: cores and memory, cgroup limits included.

use super::Os;

impl Os {
    /// Threads that can run at once (affinity and cgroup quota respected); 1 where it cannot be told.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn cores(&self) -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    /// Bytes of memory that the machine or the tightest enclosing cgroup allows; 2 GiB where it cannot be told.
    pub(crate) fn memory(&self) -> u64 {
        let machine = self.first_line("/proc/meminfo").and_then(|line| {
            let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
            Some(kib * 1024)
        });
        let limits = [machine, self.cgroup_v2(), self.number("/sys/fs/cgroup/memory/memory.limit_in_bytes")];
        limits.into_iter().flatten().filter(|&limit| limit > 0).min().unwrap_or(2 << 30)
    }

    /// The smallest `memory.max` from this process's cgroup up to the root.
    fn cgroup_v2(&self) -> Option<u64> {
        let own = self.read_small("/proc/self/cgroup").ok()?;
        let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
        let mut dir = std::path::PathBuf::from("/sys/fs/cgroup").join(path.trim_start_matches('/'));
        let mut least = None;
        while dir.starts_with("/sys/fs/cgroup") {
            let here = self.number(&dir.join("memory.max").to_string_lossy());
            least = [least, here].into_iter().flatten().min();
            dir.pop();
        }
        least
    }

    fn number(&self, path: &str) -> Option<u64> {
        self.first_line(path)?.trim().parse().ok()
    }

    fn first_line(&self, path: &str) -> Option<String> {
        self.read_small(path).ok()?.lines().next().map(str::to_owned)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn read_small(&self, path: &str) -> std::io::Result<String> {
        std::fs::read_to_string(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_cores_and_memory() {
        assert!(Os::default().cores() >= 1);
        assert!(Os::default().memory() >= 1 << 20);
    }
}
