"""The addresses below /reports/."""

from django.urls import path

from reporting import views

app_name = "reporting"
urlpatterns = [
    path("", views.report, name="report"),
    path("roll-out/", views.roll_out, name="roll-out"),
    path("rows/<slug:code>/", views.rows, name="rows"),
    path("attention/<slug:code>/", views.attention, name="attention"),
]
