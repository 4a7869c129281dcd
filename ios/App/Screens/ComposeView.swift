// Writing a post: the patient's name stays in sight, the camera stands within the thumb's reach.

import RenrakuCore
import SwiftUI

struct ComposeView: View {
    @ObservedObject var work: WorkModel
    let id: PatientId
    @State private var lost = false
    @State private var marking: Shot?
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        VStack(spacing: 0) {
            header
            Form {
                Section {
                    TextEditor(text: field(\.body)).frame(minHeight: 120).accessibilityLabel("本文")
                    Text(guidance > 0 ? "\(count)字（目安 \(guidance)字）" : "\(count)字")
                        .font(.caption)
                        .foregroundColor(guidance > 0 && count > guidance ? .orange : .secondary)
                }
                Picker("部位", selection: field(\.site)) {
                    Text("なし").tag(BodySite?.none)
                    ForEach(Words.sites, id: \.site) { Text($0.name).tag(BodySite?.some($0.site)) }
                }
                .frame(minHeight: 48)
                if work.town.urgentFlag || sketch.urgent {
                    Toggle("緊急（重要）", isOn: field(\.urgent)).frame(minHeight: 48)
                }
                if sketch.urgent { Text("急ぎのときは、電話でも連絡してください。").foregroundColor(.red) }
                ForEach(sketch.shots) { shot in
                    row(shot, of: mine?.id)
                }
            }
        }
        .navigationTitle(work.town.wordPost)
        .navigationBarTitleDisplayMode(.inline)
        .fullScreenCover(isPresented: $work.shooting, onDismiss: cameraClosed) { camera(for: mine?.id) }
        .fullScreenCover(item: $marking) { shot in board(shot, of: mine?.id) }
        // Neither stays when the person is locked out, or a push leads elsewhere.
        .onChange(of: work.closed) { _ in uncover() }
        .onChange(of: work.path) { _ in uncover() }
        // What was being written about another patient is kept first. Again when this one goes without the screen.
        .task(id: mine == nil) { await work.beginSketch(id) }
        .task { if work.patient?.id != id { await work.loadTimeline(id) } }
        .safeAreaInset(edge: .bottom) { actions }
        .disabled(work.composing || mine == nil)
    }

    private var header: some View {
        Group {
            if let patient = work.patient, patient.id == id {
                VStack(alignment: .leading) {
                    Text("\(patient.name)　\(patient.age)歳・\(Words.gender(patient.gender))").font(.title3.bold())
                    Text("支援チーム \(max(patient.team.count - 1, 0))人に届きます").font(.subheadline)
                }
            }
        }
        .frame(maxWidth: .infinity, alignment: .leading)
        .padding()
        .background(Color.accentColor.opacity(0.15))
    }

    private var actions: some View {
        BottomBar(trouble: nil) {
            BigButton(title: "撮影する", symbol: "camera.fill", prominent: false) { Task { await shoot() } }
                .disabled(sketch.shots.count >= 10 || !CameraPicker.isAvailable)
            HStack {
                BigButton(title: "下書き", prominent: false) { keep(asDraft: true) }
                BigButton(title: "送信", symbol: "paperplane.fill") { keep(asDraft: false) }
            }
            .disabled(sketch.isEmpty)
        }
    }

    private func row(_ shot: Shot, of post: Sketch.ID?) -> some View {
        ShotRow(
            shot: shot, onMark: { marking = shot },
            onSound: { on in work.change(post) { $0.keepSound(shot.id, on) } },
            onRemove: { work.remove(shot, from: post) })
    }

    private func camera(for post: Sketch.ID?) -> some View {
        CameraPicker(seconds: Double(work.town.videoSeconds)) { taken in
            switch taken {
            case .shot(let shot): work.add(shot, to: post)
            case .nothing: break
            case .lost: lost = true
            }
            work.shooting = false
        }
        .ignoresSafeArea()
        // Also when a lock closes it.
        .onDisappear(perform: Places.sweepCamera)
        .goes(with: work)
    }

    private func board(_ shot: Shot, of post: Sketch.ID?) -> some View {
        MarkView(shot: shot) { marks in work.change(post) { $0.mark(shot.id, marks) } }
            .goes(with: work)
    }

    private func shoot() async {
        if await Camera.isAllowed() { work.shooting = true } else { work.trouble = Words.noCamera }
    }

    /// What it covered can say something again.
    private func cameraClosed() {
        if lost { work.trouble = Words.notSaved }
        lost = false
    }

    private func uncover() {
        (marking, work.shooting) = (nil, false)
    }

    /// What is being written about this patient; none until it is begun.
    private var mine: Sketch? { work.sketch.flatMap { $0.patientId == id ? $0 : nil } }
    /// What is shown; an empty one until there is one.
    private var sketch: Sketch { mine ?? Sketch(patientId: id) }

    private func field<Value>(_ part: WritableKeyPath<Sketch, Value>) -> Binding<Value> {
        let post = mine?.id
        return Binding(get: { sketch[keyPath: part] }, set: { value in work.change(post) { $0[keyPath: part] = value } })
    }

    private var count: Int { sketch.body.count }
    private var guidance: Int { Int(work.town.postCharsGuidance) }

    private func keep(asDraft: Bool) {
        Task {
            if await work.compose(asDraft: asDraft) { dismiss() }
        }
    }
}
