"""The web addresses of the widget and of the demo company's pages."""

from django.urls import path

from conversations.chat import demo_site, links, widget

urlpatterns = [
    path("widget.js", widget.widget_script, name="widget_script"),
    path("c/<str:token>", links.chat_link, name="chat_link"),
    path("harborhome", widget.home, name="harborhome"),
    path("harborhome/sign-in", demo_site.sign_in, name="harborhome_sign_in"),
    path("harborhome/sign-out", demo_site.sign_out, name="harborhome_sign_out"),
    path("harborhome/identity", demo_site.identity, name="harborhome_identity"),
    path("help/", widget.help_index, name="help_index"),
    path("help/<slug:slug>", widget.help_article, name="help_article"),
]
