//! `make run`: the demo town, and what to do with it, on a terminal.

use clap::Parser;
use renraku_tests::demo::{Demo, DemoError, DemoOptions, Index, Story};
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(name = "demo", about = "A synthetic town on the real server, for looking around")]
struct Options {
    /// Where everything is kept.
    #[arg(long, default_value = "data/demo")]
    folder: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let folder = options.folder.clone();
    let demo = DemoOptions { folder: options.folder, story: Story::week(), usual_ports: true };
    let say = |line: &str| println!("{line}");
    let started = tokio::select! {
        started = Demo::start(&demo, &say) => started,
        () = asked_to_stop() => {
            println!("\n中断しました (interrupted).");
            return ExitCode::FAILURE;
        }
    };
    let mut demo = match started {
        Ok(demo) => demo,
        Err(e) => {
            failed(&e, &folder);
            return ExitCode::FAILURE;
        }
    };
    guide(&demo, &folder);
    let stopped = tokio::select! {
        () = asked_to_stop() => true,
        () = demo.server_ended() => false,
    };
    if stopped {
        println!("\n終了しています (stopping) …");
        demo.stop().await;
        ExitCode::SUCCESS
    } else {
        eprintln!("サーバーが終了しました (the server ended; see {}/server.log).", folder.display());
        ExitCode::FAILURE
    }
}

fn failed(e: &DemoError, folder: &std::path::Path) {
    match e {
        DemoError::Running => eprintln!(
            "デモはすでに動いています。http://localhost:8480 を開いてください (a demo is running already)."
        ),
        DemoError::Step { .. } => {
            eprintln!("デモを始められませんでした (the demo could not start): {e}");
            eprintln!("詳しくは {}/server.log を見てください (see the server's log).", folder.display());
        }
    }
}

fn guide(demo: &Demo, folder: &std::path::Path) {
    let index = demo.index();
    println!("\n{} が動いています (the town is running).", index.town.name);
    println!("\n  最初に開くページ (start here)   {}", demo.url);
    println!("  Chromium、Chrome、Edge、Firefox で開いてください (open it in one of these).\n");
    println!("サインイン (sign-ins):");
    for door in &index.doors {
        println!("  {}   {}", door.url, door.name);
        people(index, &door.key);
    }
    println!("\nほかの入口 (other doors):");
    println!("  {}   公開ページ (public pages, no certificate)", index.public);
    println!("  {}/sent   送られた通知とメール (pushes and mails)", demo.url);
    println!("  {} / {}   本物の入口 (the real hosts)", index.public_host, index.care_host);
    println!("\n試してみること (what to try):");
    println!(
        "  1. kango1 でサインインし、「試験 ウメ」さんのタイムラインを見る (read a timeline as the nurse)"
    );
    println!("  2. isha1 でサインインし、投稿に👍を押す (acknowledge a post as the doctor)");
    println!(
        "  3. 公開ページから利用を申請し、事務局で承認する (apply as a facility, approve at the office)"
    );
    println!("  4. 事務局で端末を失効させる (revoke a device at the office; its next request is refused)");
    println!(
        "\nデータは {} にあり、次回も残ります (data is kept there). 終了は Ctrl-C (to stop).",
        folder.display()
    );
}

fn people(index: &Index, key: &str) {
    for person in index.town.sign_ins.iter().filter(|s| s.device == key) {
        println!("      {:<10} {}   {}（{}）", person.login_id, person.password, person.name, person.role());
    }
}

/// Ends with Ctrl-C, a closed terminal or a polite kill.
async fn asked_to_stop() {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
