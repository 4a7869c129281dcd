//! What happens in the demo town. The texts are in `week`; how they get into the server, in `write`.

use super::week::{PATIENTS, POSTS};
use renraku_wire::{BodySite, ConsentGiver, Gender};

/// A patient to be registered.
#[derive(Clone, Copy, Debug)]
pub struct Patient {
    /// How posts refer to them.
    pub key: &'static str,
    /// Name.
    pub name: &'static str,
    /// Name in kana.
    pub kana: &'static str,
    /// Gender.
    pub gender: Gender,
    /// `YYYY-MM-DD`.
    pub birth_date: &'static str,
    /// Code of the care level.
    pub care_level: &'static str,
    /// Who consented, and their name where it is not the patient.
    pub consent: (ConsentGiver, Option<&'static str>),
    /// User ids; the first is the lead and registers.
    pub team: &'static [&'static str],
}

/// A post to be written.
#[derive(Clone, Copy, Debug)]
pub struct Post {
    /// The patient's key.
    pub patient: &'static str,
    /// User id of the author.
    pub author: &'static str,
    /// How many days ago.
    pub days_ago: i64,
    /// Hour and minute in Japan.
    pub at: (i8, i8),
    /// The text.
    pub body: &'static str,
    /// 緊急（重要）.
    pub urgent: bool,
    /// The place on the body.
    pub site: Option<BodySite>,
    /// The seed of a picture.
    pub picture: Option<u64>,
    /// User ids of those who have read it.
    pub read_by: &'static [&'static str],
    /// User ids of those who pressed 👍 (and read it).
    pub thumbs: &'static [&'static str],
}

/// What is to happen in a town.
#[derive(Clone, Debug)]
pub struct Story {
    /// The patients.
    pub patients: Vec<Patient>,
    /// The posts, oldest first.
    pub posts: Vec<Post>,
    /// The post of just now, from the nurse's phone with a picture and a film. Needs the `ffmpeg` command.
    pub film: bool,
}

impl Story {
    /// The demo's week.
    #[must_use]
    pub fn week() -> Self {
        let mut posts = POSTS.to_vec();
        posts.sort_by_key(|post| (-post.days_ago, post.at));
        Self { patients: PATIENTS.to_vec(), posts, film: true }
    }

    /// One patient and two posts, for tests.
    #[must_use]
    pub fn short() -> Self {
        let posts = POSTS.iter().filter(|post| post.patient == "ume" && post.days_ago == 1).copied();
        Self { patients: PATIENTS[..1].to_vec(), posts: posts.collect(), film: false }
    }
}

#[cfg(test)]
mod tests {
    use super::super::people::STAFF;
    use super::*;

    #[test]
    fn everybody_in_the_story_is_in_the_team_they_speak_in() {
        let week = Story::week();
        let team = |key: &str| week.patients.iter().find(|p| p.key == key).expect("a patient").team;
        for patient in &week.patients {
            assert!(patient.team.iter().all(|login| STAFF.iter().any(|s| s.login == *login)));
        }
        for post in &week.posts {
            let team = team(post.patient);
            assert!(team.contains(&post.author), "{}", post.body);
            for reader in post.read_by.iter().chain(post.thumbs) {
                assert!(team.contains(reader) && *reader != post.author, "{reader}: {}", post.body);
                assert!(
                    !(post.read_by.contains(reader) && post.thumbs.contains(reader)),
                    "{reader}: {}",
                    post.body
                );
            }
            assert!((1..=7).contains(&post.days_ago));
        }
        assert!(week.posts.is_sorted_by_key(|post| (-post.days_ago, post.at)));
        assert_eq!(Story::short().posts.len(), 2);
    }
}
