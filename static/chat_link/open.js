// Tells the server who this browser is to the chat so far, so that another one's chat in it is not mixed up with the call's.
// The key is that of the widget's memory (static/widget/memory.js).

const form = document.getElementById("open-chat");

form.addEventListener("submit", () => {
  try {
    form.elements.visitor.value = localStorage.getItem(`cx-chat ${location.origin}${form.dataset.entryPoint} token`) ?? "";
  } catch {
    // Without storage there is no other chat here.
  }
});
