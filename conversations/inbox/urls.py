"""The addresses of the inbox, mounted at /inbox/."""

from django.urls import path

from conversations.inbox import actions, board, copilot, tools, verifying, views

app_name = "inbox"
urlpatterns = [
    path("", views.home, name="home"),
    path("lists/", views.lists, name="lists"),
    path("find/", views.find, name="find"),
    path("c/<uuid:public_id>/", views.conversation, name="conversation"),
    path("c/<uuid:public_id>/entries/", views.entries, name="entries"),
    path("c/<uuid:public_id>/status/", views.status, name="status"),
    path("c/<uuid:public_id>/customer/", views.customer, name="customer"),
    path("c/<uuid:public_id>/inserts/", views.inserts, name="inserts"),
    path("c/<uuid:public_id>/copilot/", copilot.show, name="copilot"),
    path("c/<uuid:public_id>/rewrite/", copilot.rewrite, name="rewrite"),
    path("c/<uuid:public_id>/judge/", copilot.judge, name="judge"),
    path("c/<uuid:public_id>/say/", actions.say, name="say"),
    path("c/<uuid:public_id>/note/", actions.note, name="note"),
    path("c/<uuid:public_id>/take-over/", actions.take_over, name="take-over"),
    path("c/<uuid:public_id>/connect/", actions.connect, name="connect"),
    path("c/<uuid:public_id>/call/", actions.call, name="call"),
    path("c/<uuid:public_id>/verify/", verifying.verify, name="verify"),
    path("c/<uuid:public_id>/tools/", tools.choose, name="tools"),
    path("c/<uuid:public_id>/tools/<slug:name>/", tools.use, name="tool"),
    path("items/<uuid:item_id>/done/", tools.finish_item, name="item-done"),
    path("c/<uuid:public_id>/text-link/", actions.text_link, name="text-link"),
    path("c/<uuid:public_id>/transfer/", actions.transfer, name="transfer"),
    path("c/<uuid:public_id>/close/", actions.close, name="close"),
    path("c/<uuid:public_id>/consent/<slug:purpose>/", actions.set_consent, name="consent"),
    path("c/<uuid:public_id>/preference/", actions.set_preference, name="preference"),
    path("written/<int:trace_id>/", views.how_written, name="how-written"),
    path("answers/<int:entry_id>/", views.how_answered, name="how-answered"),
    path("offers/<int:reservation_id>/accept/", actions.accept, name="accept"),
    path("offers/<int:reservation_id>/decline/", actions.decline, name="decline"),
    path("presence/", actions.presence, name="presence"),
    path("board/", board.show, name="board"),
    path("board/queues/<int:queue_id>/pause/", board.pause, name="board-pause"),
    path("board/queues/<int:queue_id>/resume/", board.resume, name="board-resume"),
    path("board/agents/<int:agent_id>/state/", board.set_state, name="board-state"),
    path("board/work/<int:work_id>/", board.work, name="board-work"),
    path("board/work/<int:work_id>/class/", board.change_class, name="board-class"),
    path("board/work/<int:work_id>/give/", board.give, name="board-give"),
    path("board/work/<int:work_id>/take-back/", board.take_back, name="board-take-back"),
]
