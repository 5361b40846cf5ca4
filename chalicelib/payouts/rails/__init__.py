"""The ways on which money goes to members' bank accounts, behind one small interface."""
