// Which screen is shown, by the stage of AppModel.

import SwiftUI

struct RootView: View {
    @ObservedObject var model: AppModel

    var body: some View {
        Group {
            switch model.stage {
            case .opening:
                ProgressView("準備しています")
            case .closed:
                closed
            case .enrol:
                EnrolView(model: model)
            case .signIn:
                // What was typed for one town is not another's.
                SignInView(model: model).id(model.town?.slug)
            case .pin:
                PinView(model: model)
            case .changePassword:
                ChangePasswordView(model: model)
            case .work:
                if let work = model.work { WorkView(app: model, work: work) }
            }
        }
        .disabled(model.busy)
        .overlay {
            if model.busy { ProgressView().controlSize(.large) }
        }
    }

    private var closed: some View {
        VStack {
            Spacer()
            Text("アプリを開けませんでした").font(.title2)
            Spacer()
        }
        .safeAreaInset(edge: .bottom) {
            BottomBar(trouble: model.trouble, done: model.done) {
                BigButton(title: "もう一度") { Task { await model.start() } }
            }
        }
    }
}

/// The stack of screens of a signed-in person.
struct WorkView: View {
    @ObservedObject var app: AppModel
    @ObservedObject var work: WorkModel

    var body: some View {
        NavigationStack(path: $work.path) {
            PatientsView(app: app, work: work)
                .navigationDestination(for: WorkModel.Place.self) { place in
                    switch place {
                    case .timeline(let id): TimelineScreen(work: work, id: id)
                    case .compose(let id): ComposeView(work: work, id: id)
                    case .readers(let id): ReadersView(work: work, id: id)
                    case .outbox: OutboxView(work: work)
                    case .safety: SafetyView(model: app)
                    }
                }
        }
        .overlay(alignment: .top) {
            if let news = work.news {
                Button { work.news = nil } label: {
                    Label(news, systemImage: "bell.fill")
                        .lineLimit(2)
                        .frame(maxWidth: .infinity, minHeight: 48, alignment: .leading)
                        .padding(.horizontal)
                }
                .background(.thinMaterial)
            }
        }
        // Here, and not where it was touched: that row may change or go meanwhile.
        .sheet(item: editor) { editing in EditView(work: work, opened: editing).goes(with: work) }
        .alert("お知らせ", isPresented: troubled, presenting: work.trouble) { _ in
            Button("閉じる", role: .cancel) {}
        } message: { Text($0) }
    }

    private var editor: Binding<Editing?> {
        Binding(get: { work.editing }, set: { if $0 == nil { work.dropEdit() } })
    }

    private var troubled: Binding<Bool> {
        // Nothing can be said under the editor: it is said when that is closed.
        Binding(get: { work.trouble != nil && work.editing == nil }, set: { if !$0 { work.trouble = nil } })
    }
}
