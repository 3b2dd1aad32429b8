//! The power goes: a file system of its own is shut down at random moments of a job, without writing what it has not written
//! yet, and mounted again as after a power cut (ext4's journal is replayed). Disks that lie about what they have written
//! are not covered.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::dice::Dice;
use super::job::Job;
use super::tool::{Running, has, is_required, is_root, kitbag, names, print, program, run};

/// An ext4 file system in a file.
struct Disk {
    image: PathBuf,
    root: PathBuf,
    _dir: tempfile::TempDir,
}

impl Disk {
    /// `None` where there are no loop devices: that is the machine's affair, and not asked for.
    fn new() -> Option<Disk> {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk { image: dir.path().join("image"), root: dir.path().join("disk"), _dir: dir };
        std::fs::create_dir(&disk.root).unwrap();
        let made = done(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&disk.image).arg("96M")) && disk.up();
        if !made {
            eprintln!("skipped: no ext4 file system can be made and mounted here");
        }
        made.then_some(disk)
    }

    fn up(&self) -> bool {
        done(Command::new("mount").args(["-o", "loop"]).args([&self.image, &self.root]))
    }

    fn down(&self) -> bool {
        // Whoever has just ended may still be let go of.
        (0..50).any(|_| {
            done(Command::new("umount").arg(&self.root)) || {
                std::thread::sleep(Duration::from_millis(20));
                false
            }
        })
    }

    /// What the disk has not got by now it never gets.
    fn cut(&self) {
        const SHUTDOWN: rustix::ioctl::Opcode = rustix::ioctl::opcode::read::<u32>(b'X', 125);
        const WITHOUT_THE_JOURNAL: u32 = 2;
        let root = std::fs::File::open(&self.root).unwrap();
        // SAFETY: the call reads one u32, as linux/fs.h has it, and changes no memory of ours.
        let cut =
            unsafe { rustix::ioctl::ioctl(&root, rustix::ioctl::Setter::<SHUTDOWN, u32>::new(WITHOUT_THE_JOURNAL)) };
        cut.unwrap();
    }
}

fn done(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

#[test]
fn a_power_cut_leaves_the_old_output_or_the_new_one_and_what_was_told_stays() {
    const INSIDE: &str = "KITBAG_TEST_POWER";
    if std::env::var_os(INSIDE).is_none() {
        if !is_root() || !has("unshare") || !has("mount") {
            return;
        }
        // What is mounted there goes with the process, whatever ends it.
        let mut inside = program("unshare");
        inside.args(["--mount", "--propagation", "private"]).arg(std::env::current_exe().unwrap()).arg("--exact");
        inside.args(["power::a_power_cut_leaves_the_old_output_or_the_new_one_and_what_was_told_stays", "--nocapture"]);
        if is_required() {
            inside.env("KITBAG_SYSTEM", "required");
        }
        let ran = run(inside.env(INSIDE, "1"));
        print!("{}{}", ran.out, ran.err);
        assert_eq!(ran.code, Some(0));
        return;
    }
    let cuts = if is_required() { 100 } else { 10 };
    let Some(disk) = Disk::new() else { return };
    let work = disk.root.join("work");
    std::fs::create_dir(&work).unwrap();
    let job = Job::at(work.clone());
    let mut moments = job.moments();
    rustix::fs::syncfs(std::fs::File::open(&work).unwrap()).unwrap();
    let (mut dice, mut was, mut before) = (Dice::new(11), 0, 0);
    let (mut cut_short, mut old, mut new, mut left) = (0, 0, 0, 0);
    for round in 1..=cuts {
        let mut run = Running::start(kitbag(&job.arguments(round)).stdout(Stdio::null()).stderr(Stdio::null()));
        std::thread::sleep(moments.next(&mut dice));
        disk.cut();
        let status = run.ended_within(Duration::from_secs(60)).expect("HANG: a run without a disk does not end");
        assert!(matches!(status.code(), Some(0 | 2)), "round {round}: {status:?}");
        assert!(disk.down() && disk.up(), "round {round}: the file system cannot be mounted again");
        let label = format!("round {round}, {status:?}");
        let is = job.number(&label);
        assert!(is == was || is == round, "{label}: {is}, before it was {was}");
        assert!(is == round || !status.success(), "{label}: the run had said that all is well");
        (old, new) = (old + usize::from(is == was), new + usize::from(is == round));
        cut_short += usize::from(!status.success());
        moments.hit(!status.success());
        let now = job.hidden();
        assert!(now <= before + 1, "{label}: {now} things are left, before there were {before}");
        (was, before, left) = (is, now, left + usize::from(now > 0));
    }
    print(&job.arguments(cuts + 1));
    assert_eq!(
        (job.number("the last run"), names(job.dir())),
        (cuts + 1, vec!["in.jsonl".to_owned(), "out".to_owned()])
    );
    println!("{cut_short} of {cuts} cuts hit a run; {old} left the old output, {new} the new one; {left} a stage");
    assert!(cut_short >= cuts / 3 && old > 0 && left > 0, "the cuts missed the runs");
}
