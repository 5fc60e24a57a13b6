use super::*;
use crate::roots::fixture::Tree;

#[test]
fn the_tightest_limit_of_all_groups_above_counts_in_v2() {
    let tree = Tree::new(&[
        ("proc/self/cgroup", "0::/user.slice/app.service\n"),
        ("sys/fs/cgroup/user.slice/memory.max", "4000000\n"),
        ("sys/fs/cgroup/user.slice/memory.current", "3500000\n"),
        ("sys/fs/cgroup/user.slice/memory.stat", "anon 1\ninactive_file 100000\nactive_file 7\n"),
        ("sys/fs/cgroup/user.slice/app.service/memory.max", "max\n"),
        ("sys/fs/cgroup/user.slice/app.service/memory.current", "5\n"),
    ]);
    let limit = memory_limit(&tree.roots());
    assert_eq!(limit, Some(MemoryLimit { limit_bytes: 4_000_000, used_bytes: 3_400_000 }));
    assert_eq!(limit.map(MemoryLimit::left_bytes), Some(600_000));
}

#[test]
fn a_container_in_v1_finds_its_limit_at_the_root() {
    let tree = Tree::new(&[
        ("proc/self/cgroup", "4:memory:/docker/0123\n3:cpuset:/\n1:cpu,cpuacct:/docker/0123\n0::/\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000\n"),
        ("sys/fs/cgroup/memory/memory.usage_in_bytes", "400000\n"),
        ("sys/fs/cgroup/memory/memory.stat", "cache 9\ntotal_inactive_file 50000\n"),
    ]);
    let limit = memory_limit(&tree.roots());
    assert_eq!(limit, Some(MemoryLimit { limit_bytes: 1_000_000, used_bytes: 350_000 }));
}

#[test]
fn no_limit_is_no_limit() {
    let unlimited = Tree::new(&[
        ("proc/self/cgroup", "4:memory:/\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
    ]);
    for tree in [unlimited, Tree::new(&[("proc/self/cgroup", "garbage\n0::\n")]), Tree::new(&[])] {
        assert_eq!(memory_limit(&tree.roots()), None);
    }
}
