"""Every sentence that the inbox's script shows. The server sends them with the page, in the reader's language."""

from django.utils.translation import gettext as _


def page_texts() -> dict[str, str]:
    """The sentences by name, in the active language. Words in braces are filled in by the page."""
    return {
        # Asking the server
        "offline": _("There is no connection right now. Nothing is lost; try again when it is back."),
        "gone": _("This is no longer here."),
        "signInChanged": _("Your sign-in has changed. Load the page again; what you wrote is kept."),
        "serverFailed": _("The server could not do this. Try again in a moment."),
        "tryAgain": _("Try again"),
        "loading": _("Loading"),
        # Lists
        "offered": _("Offered to you: {name}. {why}"),
        "listFailed": _("This list could not be refreshed. It shows how things stood at {time}."),
        "tabFailed": _("“{name}” could not be loaded. You still see “{shown}” as it stood at {time}."),
        "findFailed": _("The search could not be done. What you typed is kept."),
        "insertsFailed": _("Saved replies and knowledge could not be loaded. What you typed is kept."),
        # Board
        "boardFailed": _("The board could not be refreshed. It shows how things stood at {time}."),
        # History
        "openFailed": _("This conversation could not be opened"),
        "backToList": _("Back to the list"),
        "draftsKept": _("Drafts are kept."),
        "newerFailed": _("There are newer messages that could not be loaded."),
        "olderFailed": _("What was said earlier could not be loaded."),
        "statusFailed": _("Who has this conversation could not be refreshed."),
        "customerFailed": _("What is known of the customer could not be refreshed. You see how it was before."),
        "newMessage": _("1 new message"),
        "newMessages": _("{count} new messages"),
        "isTyping": _("{name} is typing"),
        "isSpeaking": _("{name} is speaking"),
        "isAnswering": _("{name} is answering"),
        "assistant": _("AI agent"),
        "customer": _("Customer"),
        # Writing
        "nothingToSend": _("There is nothing to send yet."),
        "gapLeft": _("Fill in {gap} first, or take it out."),
        "sending": _("Sending"),
        "waiting": _("Waits for the connection"),
        "putBack": _("Put back into the field"),
        "copilotFailed": _("The copilot could not be loaded. What you wrote is kept."),
        # Times
        "now": _("now"),
        "secondsLeft": _("{seconds} s"),
    }
