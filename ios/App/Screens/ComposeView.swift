// Writing a post: the patient's name stays in sight, the camera stands within the thumb's reach.

import RenrakuCore
import SwiftUI

struct ComposeView: View {
    @ObservedObject var work: WorkModel
    let id: PatientId
    @State private var shooting = false
    @State private var marking: Shot?
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        VStack(spacing: 0) {
            header
            Form {
                Section {
                    TextEditor(text: sketch.body).frame(minHeight: 120).accessibilityLabel("本文")
                    Text(guidance > 0 ? "\(count)字（目安 \(guidance)字）" : "\(count)字")
                        .font(.caption)
                        .foregroundColor(guidance > 0 && count > guidance ? .orange : .secondary)
                }
                Picker("部位", selection: sketch.site) {
                    Text("なし").tag(BodySite?.none)
                    ForEach(Words.sites, id: \.site) { Text($0.name).tag(BodySite?.some($0.site)) }
                }
                .frame(minHeight: 48)
                if work.town.urgentFlag || sketch.wrappedValue.urgent {
                    Toggle("緊急（重要）", isOn: sketch.urgent).frame(minHeight: 48)
                }
                if sketch.wrappedValue.urgent { Text("急ぎのときは、電話でも連絡してください。").foregroundColor(.red) }
                ForEach(sketch.wrappedValue.shots) { shot in
                    ShotRow(
                        shot: shot, onMark: { marking = shot },
                        onSound: { sketch.wrappedValue.keepSound(shot.id, $0) }, onRemove: { remove(shot) })
                }
            }
        }
        .navigationTitle(work.town.wordPost)
        .navigationBarTitleDisplayMode(.inline)
        .fullScreenCover(isPresented: $shooting) {
            CameraPicker(seconds: Double(work.town.videoSeconds)) { shot in
                if let shot { sketch.wrappedValue.shots.append(shot) }
                shooting = false
            }
            .ignoresSafeArea()
        }
        .fullScreenCover(item: $marking) { shot in
            MarkView(shot: shot) { sketch.wrappedValue.mark(shot.id, $0) }
        }
        .onAppear { work.beginSketch(id) }
        .task { if work.patient?.id != id { await work.loadTimeline(id) } }
        .safeAreaInset(edge: .bottom) { actions }
        .disabled(work.composing)
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
            BigButton(title: "撮影する", symbol: "camera.fill", prominent: false) { shooting = true }
                .disabled(sketch.wrappedValue.shots.count >= 10 || !CameraPicker.isAvailable)
            HStack {
                BigButton(title: "下書き", prominent: false) { keep(asDraft: true) }
                BigButton(title: "送信", symbol: "paperplane.fill") { keep(asDraft: false) }
            }
            .disabled(sketch.wrappedValue.isEmpty)
        }
    }

    private var sketch: Binding<Sketch> {
        Binding(get: { work.sketch ?? Sketch(patientId: id) }, set: { work.sketch = $0 })
    }

    private var count: Int { sketch.wrappedValue.body.count }
    private var guidance: Int { Int(work.town.postCharsGuidance) }

    private func remove(_ shot: Shot) {
        shot.discard()
        sketch.wrappedValue.shots.removeAll { $0.id == shot.id }
    }

    private func keep(asDraft: Bool) {
        Task {
            if await work.compose(asDraft: asDraft) { dismiss() }
        }
    }
}
