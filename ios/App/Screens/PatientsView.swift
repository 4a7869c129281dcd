// The patients whom the person supports, and the way to the outbox and out.

import RenrakuCore
import SwiftUI

struct PatientsView: View {
    @ObservedObject var app: AppModel
    @ObservedObject var work: WorkModel

    var body: some View {
        List {
            StaleBanner(stale: work.stale, seenAt: work.seenAt)
            ForEach(work.patients, id: \.id) { patient in
                NavigationLink(value: WorkModel.Place.timeline(patient.id)) { line(patient) }
            }
            if work.listed, work.patients.isEmpty { Text("担当する\(work.town.wordPatient)はいません。") }
        }
        .refreshable { await work.catchUp() }
        .navigationTitle(work.town.wordPatient)
        .safeAreaInset(edge: .bottom) {
            BottomBar(trouble: nil) {
                Text("\(work.staff.name)（\(Words.profession(work.staff.profession))）").font(.subheadline)
                BigButton(title: safetyTitle, symbol: "lock.shield", prominent: false) {
                    work.path.append(.safety)
                }
                HStack {
                    BigButton(title: outboxTitle, symbol: "tray.and.arrow.up", prominent: false) {
                        work.path.append(.outbox)
                    }
                    BigButton(title: "サインアウト", prominent: false) { Task { await app.signOut() } }
                }
            }
        }
    }

    private var safetyTitle: String {
        app.renewalDue ? "この端末の安全（証明書の更新があります）" : "この端末の安全"
    }

    private var outboxTitle: String {
        let waiting = work.outbox.filter { $0.state != .sent }.count
        return waiting == 0 ? "送信箱" : "送信箱（\(waiting)）"
    }

    private func line(_ patient: PatientSummary) -> some View {
        HStack {
            VStack(alignment: .leading, spacing: 4) {
                Text(patient.kana).font(.caption).foregroundColor(.secondary)
                Text("\(patient.name)　\(patient.age)歳・\(Words.gender(patient.gender))").font(.headline)
                if let at = patient.lastPostAt {
                    Text("最新：\(Words.time(at))").font(.subheadline).foregroundColor(.secondary)
                }
            }
            Spacer()
            if patient.unread > 0 {
                Text("未読\(patient.unread)")
                    .font(.subheadline.bold())
                    .padding(.horizontal, 10).padding(.vertical, 4)
                    .background(Capsule().fill(Color.red))
                    .foregroundColor(.white)
            }
        }
        .frame(minHeight: 56)
    }
}
