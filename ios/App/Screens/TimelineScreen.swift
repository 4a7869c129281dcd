// One patient's timeline: what waits on this device first, then the posts, newest first.

import RenrakuCore
import SwiftUI

struct TimelineScreen: View {
    @ObservedObject var work: WorkModel
    let id: PatientId
    @State private var editing: Item?

    var body: some View {
        List {
            StaleBanner(stale: work.stale, seenAt: work.seenAt)
            ForEach(work.pending(id), id: \.id) { item in
                OutboxCard(work: work, item: item) { editing = item }
            }
            ForEach(posts, id: \.id) { post in
                PostCard(work: work, post: post).onAppear { Task { await work.saw(post) } }
            }
            if shown, work.next != nil {
                Button("前の投稿を表示") { Task { await work.loadMore(id) } }
                    .frame(maxWidth: .infinity, minHeight: 48)
            }
        }
        .listStyle(.plain)
        .navigationTitle(title)
        .navigationBarTitleDisplayMode(.inline)
        .task { await work.loadTimeline(id) }
        .refreshable { await work.loadTimeline(id) }
        .sheet(item: $editing) { item in EditView(work: work, item: item).goes(with: work) }
        .safeAreaInset(edge: .bottom) {
            BottomBar(trouble: nil) {
                BigButton(title: "\(work.town.wordPost)する", symbol: "camera.fill") {
                    work.path.append(.compose(id))
                }
                .disabled(!shown)
            }
        }
    }

    private var shown: Bool { work.patient?.id == id }
    private var posts: [Post] { shown ? work.posts : [] }

    private var title: String {
        guard shown, let patient = work.patient else { return "" }
        return "\(patient.name)　\(patient.age)歳"
    }
}

extension Item: Identifiable {}

/// One post of the team.
private struct PostCard: View {
    @ObservedObject var work: WorkModel
    let post: Post

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            if post.urgent { Text("緊急（重要）").bold().foregroundColor(.red) }
            HStack {
                VStack(alignment: .leading) {
                    Text("\(post.authorName)（\(Words.profession(post.authorProfession))）").font(.headline)
                    Text(post.facilityName).font(.caption).foregroundColor(.secondary)
                }
                Spacer()
                Text(Words.time(post.writtenAt)).font(.caption)
            }
            if let site = post.bodySite { Label(Words.site(site), systemImage: "figure.stand") }
            if !post.body.isEmpty { Text(post.body) }
            ForEach(post.media, id: \.id) { MediaTile(work: work, media: $0) }
            HStack {
                // One that was given may be taken back in any town.
                if work.town.thumbsAck || post.acknowledged {
                    Button { Task { await work.acknowledge(post, on: !post.acknowledged) } } label: {
                        Text("👍 \(post.acknowledgedCount)").font(.title3).frame(minWidth: 96, minHeight: 44)
                    }
                    .buttonStyle(.bordered)
                    .tint(post.acknowledged ? .blue : .gray)
                    .accessibilityLabel(post.acknowledged ? "確認しましたを取り消す" : "確認しました")
                }
                Spacer()
                if post.authorId == work.staff.id || leads {
                    Button("閲覧 \(post.readCount)人") { work.path.append(.readers(post.id)) }
                        .buttonStyle(.bordered)
                        .controlSize(.large)
                }
            }
        }
        .padding(.vertical, 8)
    }

    private var leads: Bool {
        work.patient?.team.contains { $0.lead && $0.staffId == work.staff.id } ?? false
    }
}

/// One post on its way from this device.
struct OutboxCard: View {
    @ObservedObject var work: WorkModel
    let item: Item
    let onEdit: () -> Void

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            Label(Words.state(item.state), systemImage: "tray.and.arrow.up").foregroundColor(color)
            if item.urgent { Text("緊急（重要）").bold().foregroundColor(.red) }
            if !item.body.isEmpty { Text(item.body) }
            ForEach(item.media, id: \.id) { media in
                if media.state == .made {
                    ProgressView(value: Double(media.uploaded), total: Double(max(media.length, 1))) {
                        Text(Words.file(media)).font(.caption)
                    }
                } else {
                    Text(Words.file(media)).font(.caption)
                }
            }
            if changeable {
                HStack {
                    if item.state != .waiting {
                        Button("送信する") { Task { await work.release(item) } }
                    }
                    Button("直す", action: onEdit)
                    Button("取り消す", role: .destructive) { Task { await work.takeBack(item) } }
                }
                .buttonStyle(.bordered)
                .controlSize(.large)
            }
        }
        .padding(.vertical, 8)
    }

    private var changeable: Bool {
        switch item.state {
        case .draft, .waiting, .failed: return true
        case .sending, .sent: return false
        }
    }

    private var color: Color {
        if case .failed = item.state { return .red }
        return .secondary
    }
}

/// Changes the text of a post that has not left yet, and its mark where the town has one or it is to be taken off.
struct EditView: View {
    @ObservedObject var work: WorkModel
    let item: Item
    @State private var text = ""
    @State private var urgent = false
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        VStack {
            TextEditor(text: $text)
            if work.town.urgentFlag || item.urgent { Toggle("緊急（重要）", isOn: $urgent).frame(minHeight: 48) }
        }
            .padding()
            .onAppear { (text, urgent) = (item.body, item.urgent) }
            .safeAreaInset(edge: .bottom) {
                BottomBar(trouble: nil) {
                    BigButton(title: "保存する") {
                        Task {
                            await work.edit(item, body: text, urgent: urgent)
                            dismiss()
                        }
                    }
                    BigButton(title: "やめる", prominent: false) { dismiss() }
                }
            }
    }
}
