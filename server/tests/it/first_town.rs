//! A town's first day, by the operator's command: whom to ask is the town's own from the first page and mail on, and
//! nothing fictional of the shipped presets is shown or written to.

use crate::ceremony::Hosts;
use crate::operator::{Operator, ended, said};
use renraku_server::policy::{MunicipalityPolicy, PRESETS, preset};
use renraku_wire::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_to_ask_is_true_from_the_first_day() {
    for operator in Operator::each().await {
        operator.good(&["init"]);
        let create = |slug: &'static str, preset: &'static str, contact: &[&'static str]| {
            let words = ["municipality", "create", "--json", "--slug", slug, "--name", "試験町", "--preset"];
            let who = [preset, "--login-id", "jimukyoku", "--staff-name", "事務 一郎"];
            [&words[..], &who, contact].concat()
        };
        let contact = [
            "--telephone",
            "0000-55-1234（内線12）",
            "--mail",
            "kaigo@example.invalid",
            "--hours",
            "平日の午後",
        ];
        // Without it, or with what cannot be dialled or written to, there is no town.
        for without in 0..3 {
            let mut given = contact.to_vec();
            let gone = given.drain(without * 2..without * 2 + 2).next().unwrap();
            let words = create("one", "minowa", &given);
            let output = ended(operator.command(&words));
            assert!(!output.status.success() && said(&output).contains(gone), "{gone}: {}", said(&output));
        }
        for (option, bad) in
            [("--telephone", "電話"), ("--mail", "nowhere"), ("--hours", " "), ("--fax", "FAX")]
        {
            let mut given = contact.to_vec();
            match given.iter().position(|w| *w == option) {
                Some(at) => given[at + 1] = bad,
                None => given.extend([option, bad]),
            }
            operator.refused(&create("one", "minowa", &given), &[option, "nothing was changed"]);
        }
        let slugs = ["one", "two", "three"];
        for ((name, _), slug) in PRESETS.iter().zip(slugs) {
            let made: serde_json::Value =
                serde_json::from_str(&operator.good(&create(slug, name, &contact))).unwrap();
            assert!(made["number"].is_string());
        }
        let made = operator.good(&create("four", "minowa", &contact));
        let made: serde_json::Value = serde_json::from_str(&made).unwrap();
        let hosts = Hosts::of(&operator);
        for ((name, _), slug) in PRESETS.iter().zip(slugs) {
            let shipped = preset(name).unwrap().contact;
            let page = String::from_utf8(hosts.public().get(&format!("/{slug}")).await.done().body).unwrap();
            assert!(
                page.contains("0000-55-1234（内線12）") && page.contains("kaigo@example.invalid"),
                "{page}"
            );
            let fictional = MunicipalityPolicy::default().contact;
            for part in [shipped.section, shipped.document, shipped.mail, shipped.telephone, fictional.fax] {
                assert!(part.is_empty() || !page.contains(&part), "{name}: {part} is shown");
            }
        }
        // The office's own record, to which its mails go.
        let said = |field: &str| made[field].as_str().unwrap().to_owned();
        let device = hosts.enrol_in("four", &said("number"), &said("password")).await;
        let mut office = hosts.care(&device);
        let opened = office.first_sign_in("jimukyoku", &said("first_password")).await;
        assert!(opened.must_change_password);
        let all: Vec<Facility> = office.get("/v1/facilities").await.ok();
        let own = all.iter().find(|f| f.kind == FacilityKind::Secretariat).unwrap();
        assert_eq!(own.telephone, "0000-55-1234（内線12）");
        let record: FacilityRecord = office.get(&format!("/v1/facilities/{}", own.id)).await.ok();
        assert_eq!(record.manager_mail, "kaigo@example.invalid");
    }
}
