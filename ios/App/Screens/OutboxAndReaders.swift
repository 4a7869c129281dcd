// Two lists: what is on its way from this device, and who has read a post.

import RenrakuCore
import SwiftUI

struct OutboxView: View {
    @ObservedObject var work: WorkModel

    var body: some View {
        List {
            ForEach(work.outbox, id: \.id) { item in
                OutboxCard(work: work, item: item)
            }
            if let progress = work.progress {
                ProgressView(value: progress) { Text("写真・動画を準備しています") }
            }
            if work.outbox.isEmpty { Text("送信待ちの\(work.town.wordPost)はありません。") }
        }
        .navigationTitle("送信箱")
        .task { await work.loadOutbox() }
        .safeAreaInset(edge: .bottom) {
            BottomBar(trouble: nil) {
                BigButton(title: "今すぐ送信する", symbol: "arrow.up.circle") {
                    Task { await work.flush(now: true) }
                }
            }
        }
    }
}

struct ReadersView: View {
    @ObservedObject var work: WorkModel
    let id: PostId

    var body: some View {
        List(work.receipts, id: \.staffId) { receipt in
            HStack {
                VStack(alignment: .leading) {
                    Text("\(receipt.name)（\(Words.profession(receipt.profession))）").font(.headline)
                    Text(receipt.facilityName).font(.caption).foregroundColor(.secondary)
                }
                Spacer()
                VStack(alignment: .trailing) {
                    Text(receipt.readAt.map(Words.time) ?? "未読").font(.subheadline)
                    if receipt.acknowledgedAt != nil { Text("👍").accessibilityLabel("確認しました") }
                }
            }
            .frame(minHeight: 56)
        }
        .navigationTitle("閲覧履歴")
        .task { await work.loadReceipts(id) }
    }
}
