//! The mark of the last epoch voted in (threat F6). It lies apart from the journal of votes, beside
//! the key: whoever has the key but not the journal must not vote again in an epoch it voted in.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// Keeps the newest epoch in which this key may have voted. Blocking and quick.
pub trait VoteMark: Send + Sync + 'static {
    /// The epoch; none if the key never voted.
    fn read(&self) -> io::Result<Option<u64>>;
    /// Sets it, on disk when this returns. A mark is never lowered: that is an error.
    fn write(&mut self, epoch: u64) -> io::Result<()>;
}

/// The mark as a small file.
#[derive(Debug, Clone)]
pub struct FileMark {
    path: PathBuf,
}

impl FileMark {
    /// A mark at `path`, in a folder that exists: the one with the key.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

/// Longest decimal number of 64 bits and a line end.
const MARK_BYTES_MAX: u64 = 21;

impl VoteMark for FileMark {
    fn read(&self) -> io::Result<Option<u64>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = String::new();
        file.take(MARK_BYTES_MAX + 1).read_to_string(&mut text)?;
        let epoch = text.strip_suffix('\n').and_then(|digits| digits.parse().ok());
        // A damaged mark is not read as none: that could allow a second vote.
        epoch.map(Some).ok_or_else(|| {
            let problem = format!("{} does not hold an epoch", self.path.display());
            io::Error::new(io::ErrorKind::InvalidData, problem)
        })
    }

    fn write(&mut self, epoch: u64) -> io::Result<()> {
        if let Some(voted) = self.read()?.filter(|voted| *voted > epoch) {
            let problem = format!("a mark of epoch {voted} is not lowered to {epoch}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        writeln!(file, "{epoch}")?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        // The rename itself must survive a power cut.
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// What a validator does whose key voted in this epoch while the journal of those votes is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LostJournal {
    /// It follows until the epoch after the last one it voted in, so that it never contradicts itself.
    #[default]
    Follow,
    /// It votes all the same in the epoch of the mark if it is that epoch's only validator; among others,
    /// and in epochs below the mark, it follows. An operator's decision: a sky of one would otherwise
    /// stand still for ever. There is no other validator to deceive, but blocks above the tip that the
    /// chain gives at start are made anew: a follower that saw the old ones has to be set up again, and
    /// their transactions may be lost.
    VoteIfAlone,
}

/// Whether this validator may sign in an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ballot {
    /// Its journal of the epoch is here, or it never voted in it.
    Vote,
    /// Its operator accepts that it votes without its journal.
    VoteAnew,
    /// It voted in a later epoch, or in this one and the journal is gone: it follows until an epoch that
    /// it has not voted in.
    Follow,
}

/// Decides by the mark and by whether the epoch's journal was opened on this disk before.
pub(crate) fn ballot(
    mark: Option<u64>,
    epoch: u64,
    journal_here: bool,
    lost: LostJournal,
    validators: usize,
) -> Ballot {
    // Votes of a later epoch mean that this epoch is over: a vote in it could only fork the chain.
    let is_over = mark.is_some_and(|voted| voted > epoch);
    let lost_here = mark == Some(epoch) && !journal_here;
    match lost {
        _ if is_over => Ballot::Follow,
        _ if !lost_here => Ballot::Vote,
        LostJournal::VoteIfAlone if validators == 1 => Ballot::VoteAnew,
        LostJournal::VoteIfAlone | LostJournal::Follow => Ballot::Follow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f6_a_lost_journal_means_no_vote_until_the_next_epoch() {
        let ballot = |mark, epoch, journal| ballot(mark, epoch, journal, LostJournal::Follow, 1);
        assert_eq!(ballot(None, 3, false), Ballot::Vote, "never voted");
        assert_eq!(ballot(Some(2), 3, false), Ballot::Vote, "a new epoch");
        assert_eq!(ballot(Some(3), 3, true), Ballot::Vote, "a restart");
        assert_eq!(ballot(Some(3), 3, false), Ballot::Follow, "the journal is lost");
        assert_eq!(ballot(Some(4), 3, true), Ballot::Follow, "the disk is of an earlier day");
    }

    #[test]
    fn f6_an_operator_lets_only_a_lone_validator_vote_without_its_journal() {
        let ballot =
            |journal, others: usize| ballot(Some(3), 3, journal, LostJournal::VoteIfAlone, others + 1);
        assert_eq!(ballot(false, 0), Ballot::VoteAnew);
        assert_eq!(ballot(true, 0), Ballot::Vote, "nothing is lost");
        assert_eq!([1, 3].map(|others| ballot(false, others)), [Ballot::Follow; 2]);
    }

    #[test]
    fn f6_no_permission_lets_a_key_vote_below_its_mark() {
        for journal_here in [false, true] {
            let ballot = ballot(Some(4), 3, journal_here, LostJournal::VoteIfAlone, 1);
            assert_eq!(ballot, Ballot::Follow, "journal here: {journal_here}");
        }
    }

    #[test]
    fn f6_a_mark_is_never_lowered() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut mark = FileMark::new(folder.path().join("voted"));
        mark.write(57).expect("written");
        assert!(mark.write(0).is_err());
        mark.write(57).expect("the same epoch again");
        assert_eq!(mark.read().expect("there"), Some(57));
    }

    #[test]
    fn f6_a_mark_survives_and_a_damaged_one_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("voted");
        let mut mark = FileMark::new(&path);
        assert_eq!(mark.read().expect("absent"), None);
        mark.write(7).expect("written");
        mark.write(8).expect("written");
        assert_eq!(FileMark::new(&path).read().expect("there"), Some(8));
        for damaged in ["", "8", "x\n", "99999999999999999999999\n"] {
            fs::write(&path, damaged).expect("written");
            assert!(mark.read().is_err(), "{damaged:?}");
        }
    }
}
