//! Five patients and a week of posts about them. All of it is made up. What becomes of it is in `write`.

use super::story::{Patient, Post};
use renraku_wire::{BodySite, ConsentGiver, Gender};

const QUIET: Post = Post {
    patient: "",
    author: "",
    days_ago: 0,
    at: (0, 0),
    body: "",
    urgent: false,
    site: None,
    picture: None,
    read_by: &[],
    thumbs: &[],
};

pub(super) const PATIENTS: [Patient; 5] = [
    Patient {
        key: "ume",
        name: "試験 ウメ",
        kana: "シケン ウメ",
        gender: Gender::Female,
        birth_date: "1938-02-11",
        care_level: "24",
        consent: (ConsentGiver::Family, Some("試験 一郎")),
        team: &["kango1", "isha1", "cm1", "helper1", "kango2"],
    },
    Patient {
        key: "matsu",
        name: "架空 松吉",
        kana: "カクウ マツキチ",
        gender: Gender::Male,
        birth_date: "1941-07-03",
        care_level: "22",
        consent: (ConsentGiver::Patient, None),
        team: &["isha1", "kango2", "kango1", "cm1"],
    },
    Patient {
        key: "sakura",
        name: "仮名 さくら",
        kana: "カメイ サクラ",
        gender: Gender::Female,
        birth_date: "1935-11-20",
        care_level: "25",
        consent: (ConsentGiver::Family, Some("仮名 次郎")),
        team: &["kango2", "isha1", "kango1", "cm1"],
    },
    Patient {
        key: "take",
        name: "見本 竹蔵",
        kana: "ミホン タケゾウ",
        gender: Gender::Male,
        birth_date: "1946-04-15",
        care_level: "21",
        consent: (ConsentGiver::Patient, None),
        team: &["cm1", "riha1", "helper1", "isha1"],
    },
    Patient {
        key: "kiku",
        name: "例示 菊江",
        kana: "レイジ キクエ",
        gender: Gender::Female,
        birth_date: "1930-09-09",
        care_level: "23",
        consent: (ConsentGiver::Guardian, Some("例示 三郎")),
        team: &["cm1", "helper1", "kango1", "isha1"],
    },
];

pub(super) const POSTS: [Post; 26] = [
    Post {
        patient: "ume",
        author: "kango1",
        days_ago: 7,
        at: (10, 20),
        body: "左踵に発赤あり。2.0×1.5cm、皮膚剥離なし。\n踵を浮かせるようクッションを入れました。",
        site: Some(BodySite::LeftHeel),
        picture: Some(11),
        read_by: &["helper1", "kango2"],
        thumbs: &["isha1", "cm1"],
        ..QUIET
    },
    Post {
        patient: "ume",
        author: "isha1",
        days_ago: 7,
        at: (12, 5),
        body: "写真を確認しました。除圧を続けて、毎日観察してください。\n広がるようなら連絡を。",
        read_by: &["helper1"],
        thumbs: &["kango1", "cm1"],
        ..QUIET
    },
    Post {
        patient: "matsu",
        author: "kango2",
        days_ago: 7,
        at: (14, 30),
        body: "血圧138/76、血糖（食後2時間）182。\nインスリンの自己注射は声かけでできています。",
        read_by: &["cm1"],
        thumbs: &["isha1"],
        ..QUIET
    },
    Post {
        patient: "kiku",
        author: "helper1",
        days_ago: 7,
        at: (16, 40),
        body: "夕食は7割。お茶を150ml。\n今日は笑顔が多く、昔の歌を口ずさんでいました。",
        read_by: &["kango1", "isha1"],
        thumbs: &["cm1"],
        ..QUIET
    },
    Post {
        patient: "ume",
        author: "helper1",
        days_ago: 6,
        at: (9, 15),
        body: "体位変換のとき、左の踵を少し痛がりました。\nクッションの位置を直しています。",
        site: Some(BodySite::LeftHeel),
        read_by: &["isha1"],
        thumbs: &["kango1"],
        ..QUIET
    },
    Post {
        patient: "take",
        author: "riha1",
        days_ago: 6,
        at: (10, 0),
        body: "室内歩行20m×2。右足の振り出しが良くなっています。\n玄関の段差で手すりが欲しいとのこと。",
        site: Some(BodySite::RightLeg),
        read_by: &["helper1"],
        thumbs: &["cm1", "isha1"],
        ..QUIET
    },
    Post {
        patient: "take",
        author: "cm1",
        days_ago: 6,
        at: (13, 20),
        body: "玄関の手すりの件、住宅改修の相談を始めます。\n業者の下見は来週の予定です。",
        read_by: &["isha1", "helper1"],
        thumbs: &["riha1"],
        ..QUIET
    },
    Post {
        patient: "sakura",
        author: "kango2",
        days_ago: 6,
        at: (15, 10),
        body: "傾眠傾向。呼びかけに開眼あり。SpO2 94%（室内気）。\nご家族は落ち着いて見守っておられます。",
        read_by: &["cm1"],
        thumbs: &["isha1", "kango1"],
        ..QUIET
    },
    Post {
        patient: "ume",
        author: "kango1",
        days_ago: 5,
        at: (10, 30),
        body: "左踵、2.5×2.0cmに拡大。中央に水疱ができかけています。\n先生、ご指示をお願いします。",
        urgent: true,
        site: Some(BodySite::LeftHeel),
        picture: Some(12),
        read_by: &["helper1", "kango2"],
        thumbs: &["isha1", "cm1"],
        ..QUIET
    },
    Post {
        patient: "ume",
        author: "isha1",
        days_ago: 5,
        at: (11, 0),
        body: "水疱は破らず、フォーム材で保護してください。\n明日の往診で診ます。",
        urgent: true,
        site: Some(BodySite::LeftHeel),
        read_by: &["helper1", "cm1"],
        thumbs: &["kango1", "kango2"],
        ..QUIET
    },
    Post {
        patient: "kiku",
        author: "kango1",
        days_ago: 5,
        at: (14, 0),
        body: "体温36.4、血圧126/70。便は昨日からなし、腹部は軟らかいです。\n水分をこまめにお願いします。",
        site: Some(BodySite::Abdomen),
        read_by: &["isha1"],
        thumbs: &["helper1", "cm1"],
        ..QUIET
    },
    Post {
        patient: "matsu",
        author: "kango1",
        days_ago: 5,
        at: (16, 0),
        body: "右の踵に小さな擦り傷。洗って保護しました。\n靴が少しきついようです。",
        site: Some(BodySite::RightHeel),
        picture: Some(21),
        read_by: &["cm1"],
        thumbs: &["isha1", "kango2"],
        ..QUIET
    },
    Post {
        patient: "ume",
        author: "isha1",
        days_ago: 4,
        at: (14, 45),
        body: "往診。左踵は浅い潰瘍、感染の徴候なし。\n洗浄と保護材を続け、エアマットを検討してください。",
        site: Some(BodySite::LeftHeel),
        picture: Some(13),
        read_by: &["helper1", "kango2"],
        thumbs: &["kango1", "cm1"],
        ..QUIET
    },
    Post {
        patient: "ume",
        author: "cm1",
        days_ago: 4,
        at: (16, 10),
        body: "エアマットの貸与、明日の午後に入ります。\n設置のとき私も伺います。",
        read_by: &["helper1"],
        thumbs: &["kango1", "isha1", "kango2"],
        ..QUIET
    },
    Post {
        patient: "sakura",
        author: "isha1",
        days_ago: 4,
        at: (18, 30),
        body: "往診。苦痛の表情なし。貼付剤は同量で続けます。\n夜間の連絡先をご家族にもう一度お渡ししました。",
        read_by: &["cm1"],
        thumbs: &["kango2", "kango1"],
        ..QUIET
    },
    Post {
        patient: "take",
        author: "helper1",
        days_ago: 4,
        at: (11, 15),
        body: "買い物に同行。荷物を持たずに店内を一周できました。\n疲れは少し、とのことです。",
        thumbs: &["riha1"],
        read_by: &["cm1"],
        ..QUIET
    },
    Post {
        patient: "ume",
        author: "helper1",
        days_ago: 3,
        at: (15, 30),
        body: "エアマットが入りました。昼食は6割、むせなし。\n夕方まで痛みの訴えはありません。",
        read_by: &["isha1", "kango2"],
        thumbs: &["kango1", "cm1"],
        ..QUIET
    },
    Post {
        patient: "kiku",
        author: "helper1",
        days_ago: 3,
        at: (10, 50),
        body: "朝、便が普通量ありました。\n朝食は全量です。",
        read_by: &["cm1", "isha1"],
        thumbs: &["kango1"],
        ..QUIET
    },
    Post {
        patient: "matsu",
        author: "isha1",
        days_ago: 3,
        at: (17, 0),
        body: "HbA1c 7.4。今の量で続けます。\n足の傷は見るたびに写真をお願いします。",
        site: Some(BodySite::RightHeel),
        read_by: &["cm1"],
        thumbs: &["kango1", "kango2"],
        ..QUIET
    },
    Post {
        patient: "ume",
        author: "kango2",
        days_ago: 2,
        at: (10, 10),
        body: "左踵 2.3×1.8cm。滲出液は少量、周りの発赤は薄くなっています。\n保護材を交換しました。",
        site: Some(BodySite::LeftHeel),
        picture: Some(14),
        read_by: &["helper1", "cm1"],
        thumbs: &["kango1", "isha1"],
        ..QUIET
    },
    Post {
        patient: "sakura",
        author: "kango1",
        days_ago: 2,
        at: (20, 15),
        body: "夜間の訪問。呼吸数14、四肢に冷感なし。\nご家族から「よく眠れている」と伺いました。",
        read_by: &["cm1"],
        thumbs: &["kango2", "isha1"],
        ..QUIET
    },
    Post {
        patient: "take",
        author: "riha1",
        days_ago: 2,
        at: (10, 5),
        body: "屋外歩行を開始。T字杖で50m、ふらつきなし。\n息切れは軽度で、休むと戻ります。",
        read_by: &["isha1"],
        thumbs: &["cm1", "helper1"],
        ..QUIET
    },
    Post {
        patient: "matsu",
        author: "kango2",
        days_ago: 2,
        at: (14, 20),
        body: "右踵の傷は乾いてきました。血糖（食後2時間）164。\n新しい靴に替わっています。",
        site: Some(BodySite::RightHeel),
        picture: Some(22),
        thumbs: &["isha1"],
        read_by: &["kango1"],
        ..QUIET
    },
    Post {
        patient: "ume",
        author: "isha1",
        days_ago: 1,
        at: (12, 40),
        body: "写真で確認しました。良い方向です。\n同じ処置を続けてください。次の往診は来週火曜です。",
        read_by: &["helper1", "cm1"],
        thumbs: &["kango1", "kango2"],
        ..QUIET
    },
    Post {
        patient: "ume",
        author: "kango1",
        days_ago: 1,
        at: (10, 25),
        body: "左踵 2.1×1.6cm。潰瘍は浅く、肉芽が見えてきました。\n洗浄して保護材を交換しています。",
        site: Some(BodySite::LeftHeel),
        picture: Some(15),
        read_by: &["helper1"],
        thumbs: &["cm1"],
        ..QUIET
    },
    Post {
        patient: "kiku",
        author: "cm1",
        days_ago: 1,
        at: (15, 0),
        body: "担当者会議は来週木曜の14時からです。\nデイサービスを週2回に増やす案を話し合います。",
        read_by: &["isha1"],
        thumbs: &["helper1", "kango1"],
        ..QUIET
    },
];
