//! A post as a page shows it.

use super::rules;
use crate::policy::MunicipalityPolicy;
use crate::portal::language;
use renraku_wire::{Media, MediaKind, MediaState, Post, StaffId, Words, limits};

/// A difference between writing and arriving that is worth a word, in milliseconds.
const LATE_MILLIS: i64 = 5 * 60_000;

/// One post.
pub struct View {
    /// Its id.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// Their profession.
    pub profession: &'static str,
    /// Their facility.
    pub facility: String,
    /// The text.
    pub body: String,
    /// 緊急（重要）.
    pub urgent: bool,
    /// The place on the body.
    pub site: Option<&'static str>,
    /// When it was written.
    pub written: String,
    /// The same for `<time>`.
    pub written_machine: String,
    /// When it arrived, where that was later.
    pub received: Option<String>,
    /// Pictures and films.
    pub files: Vec<File>,
    /// Not read before this page.
    pub fresh: bool,
    /// Written by the person who looks.
    pub own: bool,
    /// The person who looks pressed 👍.
    pub thumbed: bool,
    /// How many have read it.
    pub read_count: u32,
    /// How many pressed 👍; none in a town without it.
    pub thumbs: Option<u32>,
    /// The person who looks may see who has read it.
    pub listable: bool,
}

/// One picture or film.
pub struct File {
    /// Its id.
    pub id: String,
    /// 写真 or 動画.
    pub word: &'static str,
    /// For those who cannot see it.
    pub alt: String,
    /// Under the picture.
    pub caption: String,
    /// Width on the page; 0 when it is not known.
    pub width: u32,
    /// Height on the page.
    pub height: u32,
    /// A film.
    pub film: bool,
    /// Its bytes have not arrived.
    pub pending: bool,
    /// Its bytes were refused.
    pub refused: bool,
}

/// Who looks at a post.
#[derive(Clone, Copy, Debug)]
pub struct Viewer {
    /// The person.
    pub staff_id: StaffId,
    /// A lead of the team.
    pub lead: bool,
}

impl View {
    /// The post for this viewer. One that they see for the first time counts them as a reader.
    #[must_use]
    pub fn of(post: Post, viewer: Viewer, policy: &MunicipalityPolicy) -> Self {
        let words = &policy.words;
        let fresh = !post.read;
        let own = post.author_id == viewer.staff_id;
        let site = post.body_site.map(renraku_wire::BodySite::label);
        let late = post.received_at.0 - post.written_at.0 > LATE_MILLIS;
        let files = post
            .media
            .iter()
            .zip(1..)
            .map(|(file, place)| File::of(file, place, &post.author_name, site, words))
            .collect();
        Self {
            id: post.id.to_string(),
            profession: language::profession(post.author_profession),
            author: post.author_name,
            facility: post.facility_name,
            body: post.body,
            urgent: post.urgent,
            site,
            written: language::when(post.written_at.0),
            written_machine: language::machine(post.written_at.0),
            received: late.then(|| language::when(post.received_at.0)),
            files,
            fresh,
            own,
            thumbed: post.acknowledged,
            read_count: post.read_count.saturating_add(u32::from(fresh)),
            thumbs: policy.thumbs_ack.then_some(post.acknowledged_count),
            listable: rules::sees_readers(own, viewer.lead, policy),
        }
    }
}

impl File {
    fn of(file: &Media, place: u32, author: &str, site: Option<&str>, words: &Words) -> Self {
        let film = file.kind == MediaKind::Video;
        let word = if film { "動画" } else { "写真" };
        let alt = if file.description.is_empty() {
            let site = site.map(|s| format!("{s}、")).unwrap_or_default();
            format!("{word}{place}（{site}{author}さんの{}）", words.post)
        } else {
            file.description.clone()
        };
        let (width, height) = fitted(file.width.unwrap_or(0), file.height.unwrap_or(0), film);
        Self {
            id: file.id.to_string(),
            word,
            alt,
            caption: file.description.clone(),
            width,
            height,
            film,
            pending: file.state == MediaState::Pending,
            refused: !matches!(file.state, MediaState::Pending | MediaState::Ready),
        }
    }
}

/// The size that keeps its place on the page before the picture is there.
fn fitted(width: u32, height: u32, film: bool) -> (u32, u32) {
    let longest = width.max(height);
    if film || longest <= limits::THUMBNAIL_SIDE {
        return (width, height);
    }
    let scale = |side: u32| (side * limits::THUMBNAIL_SIDE / longest).max(1);
    (scale(width), scale(height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use renraku_wire::*;

    fn post(author: StaffId, read: bool) -> Post {
        Post {
            id: PostId::new(),
            patient_id: PatientId::new(),
            author_id: author,
            author_name: "架空 花子".into(),
            author_profession: Profession::Nurse,
            facility_id: FacilityId::new(),
            facility_name: "架空訪問看護".into(),
            body: "様子".into(),
            urgent: false,
            body_site: Some(BodySite::LeftHeel),
            written_at: Timestamp(1_000_000),
            received_at: Timestamp(1_000_000 + LATE_MILLIS),
            media: vec![Media {
                id: MediaId::new(),
                kind: MediaKind::Photo,
                state: MediaState::Ready,
                length: 1,
                width: Some(2048),
                height: Some(1536),
                duration_ms: None,
                description: String::new(),
            }],
            read,
            acknowledged: false,
            read_count: 2,
            acknowledged_count: 1,
        }
    }

    #[test]
    fn the_first_look_counts_and_the_authors_own_does_not() {
        let policy = MunicipalityPolicy::default();
        let (me, other) = (StaffId::new(), StaffId::new());
        let viewer = Viewer { staff_id: me, lead: false };
        let seen = View::of(post(other, false), viewer, &policy);
        assert_eq!((seen.read_count, seen.fresh, seen.own, seen.listable), (3, true, false, false));
        let again = View::of(post(other, true), viewer, &policy);
        assert_eq!((again.read_count, again.fresh), (2, false));
        let own = View::of(post(me, true), viewer, &policy);
        assert!(own.own && own.listable);
        assert!(View::of(post(other, true), Viewer { lead: true, ..viewer }, &policy).listable);
        assert_eq!(seen.received, None, "five minutes are no delay");
        let late = Post { received_at: Timestamp(1_000_001 + LATE_MILLIS), ..post(other, true) };
        assert!(View::of(late, viewer, &policy).received.is_some());
    }

    #[test]
    fn every_picture_has_words_and_a_size() {
        let policy = MunicipalityPolicy::default();
        let view =
            View::of(post(StaffId::new(), true), Viewer { staff_id: StaffId::new(), lead: false }, &policy);
        assert_eq!(view.files[0].alt, "写真1（左踵、架空 花子さんの投稿）");
        assert_eq!((view.files[0].width, view.files[0].height), (400, 300));
        assert_eq!(fitted(0, 0, false), (0, 0));
        assert_eq!(fitted(300, 200, false), (300, 200));
        assert_eq!(fitted(4000, 1, false), (400, 1));
        assert_eq!(fitted(1280, 720, true), (1280, 720));
    }
}
