// One patient's timeline: what waits on this device first, then the posts, newest first.

import RenrakuCore
import SwiftUI

struct TimelineScreen: View {
    @ObservedObject var work: WorkModel
    let id: PatientId

    var body: some View {
        List {
            StaleBanner(stale: work.stale, seenAt: work.seenAt)
            ForEach(work.pending(id), id: \.id) { item in
                OutboxCard(work: work, item: item)
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
